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

    /// What goes wrong with completions only.
    enum CompletionFault: String, Sendable, Hashable, Codable, CaseIterable {
        case none
        /// Takes the request and never answers.
        case hang
        /// Answers 500.
        case error
        /// Answers 200 with a page of HTML.
        case html
        /// The answer has no text and no token.
        case empty
    }

    var fault = Fault.none
    var completionFault = CompletionFault.none
    /// Waited before every answer.
    var latencyMilliseconds = 0
    /// Required as `Authorization: Bearer`; 401 without it.
    var key: String?
    /// Told at `/v0/system`, as xLLM does; only of the kind `openai`.
    var gpuMemoryBytes: Int?

    init(
        fault: Fault = .none, completionFault: CompletionFault = .none, latencyMilliseconds: Int = 0,
        key: String? = nil, gpuMemoryBytes: Int? = nil
    ) {
        self.fault = fault
        self.completionFault = completionFault
        self.latencyMilliseconds = latencyMilliseconds
        self.key = key
        self.gpuMemoryBytes = gpuMemoryBytes
    }

    enum CodingKeys: String, CodingKey {
        case fault, key
        case completionFault = "completion_fault"
        case latencyMilliseconds = "latency_ms"
        case gpuMemoryBytes = "gpu_memory_bytes"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        fault = try fields.decodeIfPresent(Fault.self, forKey: .fault) ?? .none
        latencyMilliseconds = max(0, try fields.decodeIfPresent(Int.self, forKey: .latencyMilliseconds) ?? 0)
        completionFault = try fields.decodeIfPresent(CompletionFault.self, forKey: .completionFault) ?? .none
        key = try fields.decodeIfPresent(String.self, forKey: .key)
        gpuMemoryBytes = try fields.decodeIfPresent(Int.self, forKey: .gpuMemoryBytes)
    }
}
