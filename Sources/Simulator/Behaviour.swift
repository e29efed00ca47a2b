/// How a simulated endpoint treats its clients.
struct Behaviour: Sendable, Hashable, Codable {
    /// What goes wrong.
    enum Fault: String, Sendable, Hashable, Codable, CaseIterable {
        case none
        /// Takes the request and never answers.
        case hang
        /// Resets the connection (TCP RST).
        case reset
        /// Answers 500.
        case error = "500"
        /// Answers 200 with a page of HTML, as a captive portal does.
        case html
        /// Answers 302 to a login page, as a single-sign-on proxy does.
        case redirect
        /// The list ends in the middle.
        case truncated
        /// The list has no entry.
        case empty
        /// The list has 50 MB.
        case huge
    }

    var fault = Fault.none
    /// Waited before every answer.
    var latencyMilliseconds = 0
    /// Required as `Authorization: Bearer`; 401 without it.
    var key: String?

    init(fault: Fault = .none, latencyMilliseconds: Int = 0, key: String? = nil) {
        self.fault = fault
        self.latencyMilliseconds = latencyMilliseconds
        self.key = key
    }

    enum CodingKeys: String, CodingKey {
        case fault, key
        case latencyMilliseconds = "latency_ms"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        fault = try fields.decodeIfPresent(Fault.self, forKey: .fault) ?? .none
        latencyMilliseconds = max(0, try fields.decodeIfPresent(Int.self, forKey: .latencyMilliseconds) ?? 0)
        key = try fields.decodeIfPresent(String.self, forKey: .key)
    }
}
