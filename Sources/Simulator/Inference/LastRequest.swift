import NIOHTTP1

/// The latest request for inference that an endpoint has read to its end.
struct LastRequest: Sendable, Hashable, Codable {
    var path: String
    /// By lower-case name. Of those that carry keys there is `hidden` in place of the value.
    var headers: [String: String]
    /// Whether it had the endpoint's key as its bearer token; nil where the endpoint has none.
    var keyMatches: Bool?
    var bodyBytes: Int
    /// In hexadecimal; empty where the body was over the limit.
    var bodyDigest: String
    var model: String?

    static let hidden = "(hidden)"
    private static let secretHeaders: Set<String> = ["authorization", "proxy-authorization", "x-api-key", "api-key"]

    enum CodingKeys: String, CodingKey {
        case path, headers, model
        case keyMatches = "key_matches"
        case bodyBytes = "body_bytes"
        case bodyDigest = "body_sha256"
    }

    init(
        _ route: InferenceRoute, _ fields: RequestHeaders, _ received: InferenceRequest.Received, key: String?,
        required: String?
    ) {
        path = route.rawValue
        headers = [:]
        for field in fields.fields {
            let name = field.name.lowercased()
            // It names the simulator itself.
            if name == "host" { continue }
            let value = Self.secretHeaders.contains(name) ? Self.hidden : field.value
            headers[name] = headers[name].map { $0 + ", " + value } ?? value
        }
        keyMatches = required.map { $0 == key }
        bodyBytes = received.bytes
        bodyDigest = received.digest
        if case .success(let request) = received.request { model = request.model }
    }
}

/// An endpoint's answers in work.
struct StreamCounts: Sendable, Hashable {
    private(set) var open = 0
    /// The most that were open at once.
    private(set) var peak = 0
    private(set) var closedByClient = 0
    /// µs since 1970.
    private(set) var lastClosedAt: Int64?

    mutating func begin() {
        open += 1
        peak = max(peak, open)
    }

    mutating func end(_ ending: AnswerInWork.Ending, at time: Int64) {
        // An endpoint that was made anew does not know what it had begun before.
        open = max(0, open - 1)
        guard ending == .closedByClient else { return }
        closedByClient += 1
        lastClosedAt = time
    }

    /// Zero, but for what is still open.
    mutating func reset() {
        let left = open
        self = StreamCounts()
        open = left
        peak = left
    }
}
