import JSON

/// How the Hub, or one of its repositories, treats its clients.
struct HubBehaviour: Sendable, Hashable {
    /// What goes wrong.
    enum Fault: String, Sendable, Hashable, Codable, CaseIterable {
        case none
        /// The body comes in 100 pieces, `latency_ms` (200 where it is 0) apart.
        case slow
        case rateLimited = "429"
        case error = "500"
        case unavailable = "503"
        /// The connection ends in the middle of the body.
        case truncated
        /// Resets the connection (TCP RST).
        case reset
        /// Takes the request and never answers.
        case hang
        /// Closes the connection without an answer.
        case away
        /// Answers 200 with a page of HTML.
        case html
        /// Sends the client to the same path at another address of this machine, 127.0.0.2, where it would be answered.
        case redirectLoopback = "redirect_loopback"
        /// Sends the client to a host of another name.
        case redirectHost = "redirect_host"
        /// Valid JSON of 40 MB.
        case huge
    }

    var fault = Fault.none
    /// How many requests the fault has left; nil for no end.
    var times: Int?
    /// The only requests that the fault is for; nil for all.
    var only: HubRequest.Kind?
    /// Waited before every answer.
    var latencyMilliseconds = 0
    /// In seconds: `t` of the rate limit of a 429, and `Retry-After` of a 503.
    var retryAfter: Int?
    /// Whether a 429 has `Retry-After` as well, as it has behind some proxies; the Hub's own has not.
    var sendsRetryAfter = false
    /// The only valid token; nil: every token is valid.
    var token: String?

    /// Whether the fault is for this request; counts it if so.
    mutating func takesFault(for kind: HubRequest.Kind) -> Bool {
        guard fault != .none, only == nil || only == kind else { return false }
        guard let left = times else { return true }
        times = max(0, left - 1)
        return left > 0
    }
}

/// What a control request changes of a behaviour: only the fields that it has. A `fault` comes with its own `times` and
/// `only`, those of the fault before it do not outlast it.
struct HubBehaviourChange: Sendable, Decodable {
    private var fields: [String: JSONValue]
    private var fault: HubBehaviour.Fault?
    private var only: HubRequest.Kind?

    private enum CodingKeys: String, CodingKey { case fault, only }

    init(from decoder: any Decoder) throws {
        fields = try decoder.singleValueContainer().decode([String: JSONValue].self)
        let typed = try decoder.container(keyedBy: CodingKeys.self)
        fault = try typed.decodeIfPresent(HubBehaviour.Fault.self, forKey: .fault)
        only = try typed.decodeIfPresent(HubRequest.Kind.self, forKey: .only)
        let known: Set = ["fault", "times", "only", "latency_ms", "retry_after", "retry_after_header", "token"]
        if let unknown = fields.keys.first(where: { !known.contains($0) }) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a Hub's behaviour has no \(unknown)"))
        }
    }

    func apply(to behaviour: inout HubBehaviour) {
        if let fault {
            behaviour.fault = fault
            behaviour.times = fields["times"]?.integer.map(Int.init)
            behaviour.only = only
        }
        if let latency = fields["latency_ms"] { behaviour.latencyMilliseconds = max(0, Int(latency.integer ?? 0)) }
        if let seconds = fields["retry_after"] { behaviour.retryAfter = seconds.integer.map(Int.init) }
        if let sends = fields["retry_after_header"] { behaviour.sendsRetryAfter = sends == .bool(true) }
        if let token = fields["token"] { behaviour.token = token.string }
    }
}
