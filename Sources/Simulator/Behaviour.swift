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

    /// What goes wrong with inference only.
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
        /// The connection ends after the headers.
        case closeAfterHeaders = "close_after_headers"
        /// The connection ends in the middle of the first event, or of the answer.
        case halfChunk = "half_chunk"
        /// Nothing comes after three events, or half of the answer, and the connection stays.
        case stall
        /// The answer has 1 GB.
        case huge
        /// Resets the connection (TCP RST) once the request is read.
        case reset
        /// Resets it after three events, or half of the answer.
        case resetMidway = "reset_midway"
        /// Answers as a proxy does whose server is gone.
        case badGateway = "status_502"
        case unavailable = "status_503"
        case gatewayTimeout = "status_504"
        /// Takes its time before the headers: `first_byte_ms`, or 5 s.
        case slowHeaders = "slow_headers"

        /// Whether an answer that has begun does not come to its end.
        var cutsAnswer: Bool {
            switch self {
            case .closeAfterHeaders, .halfChunk, .stall, .resetMidway: true
            default: false
            }
        }
    }

    var fault = Fault.none
    var completionFault = CompletionFault.none
    /// Waited before every answer.
    var latencyMilliseconds = 0
    /// Waited before the headers of an answer to inference, which alone it delays.
    var firstByteMilliseconds = 0
    /// Between the events of a stream.
    var chunkIntervalMilliseconds = 0
    /// Length of each event's text; 0 for words.
    var chunkBytes = 0
    /// Required as `Authorization: Bearer`; 401 without it.
    var key: String?
    /// Told at `/v0/system`, as xLLM does; only of the kind `openai`.
    var gpuMemoryBytes: Int?

    init(
        fault: Fault = .none, completionFault: CompletionFault = .none, latencyMilliseconds: Int = 0,
        firstByteMilliseconds: Int = 0, chunkIntervalMilliseconds: Int = 0, chunkBytes: Int = 0, key: String? = nil,
        gpuMemoryBytes: Int? = nil
    ) {
        self.fault = fault
        self.completionFault = completionFault
        self.latencyMilliseconds = latencyMilliseconds
        self.firstByteMilliseconds = firstByteMilliseconds
        self.chunkIntervalMilliseconds = chunkIntervalMilliseconds
        self.chunkBytes = chunkBytes
        self.key = key
        self.gpuMemoryBytes = gpuMemoryBytes
    }

    /// How long an answer to inference keeps its client waiting.
    var firstByteDelay: Duration {
        let isSlow = completionFault == .slowHeaders && firstByteMilliseconds == 0
        return isSlow ? .seconds(5) : .milliseconds(firstByteMilliseconds)
    }

    /// Whether texts go on up to the limit of their request: an endpoint that paces or pads its tokens is there for load.
    var fillsLimit: Bool { chunkIntervalMilliseconds > 0 || chunkBytes > 0 }

    enum CodingKeys: String, CodingKey {
        case fault, key
        case completionFault = "completion_fault"
        case latencyMilliseconds = "latency_ms"
        case firstByteMilliseconds = "first_byte_ms"
        case chunkIntervalMilliseconds = "chunk_interval_ms"
        case chunkBytes = "chunk_bytes"
        case gpuMemoryBytes = "gpu_memory_bytes"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        fault = try fields.decodeIfPresent(Fault.self, forKey: .fault) ?? .none
        latencyMilliseconds = max(0, try fields.decodeIfPresent(Int.self, forKey: .latencyMilliseconds) ?? 0)
        firstByteMilliseconds = max(0, try fields.decodeIfPresent(Int.self, forKey: .firstByteMilliseconds) ?? 0)
        chunkIntervalMilliseconds = max(
            0, try fields.decodeIfPresent(Int.self, forKey: .chunkIntervalMilliseconds) ?? 0)
        chunkBytes = max(0, try fields.decodeIfPresent(Int.self, forKey: .chunkBytes) ?? 0)
        completionFault = try fields.decodeIfPresent(CompletionFault.self, forKey: .completionFault) ?? .none
        key = try fields.decodeIfPresent(String.self, forKey: .key)
        gpuMemoryBytes = try fields.decodeIfPresent(Int.self, forKey: .gpuMemoryBytes)
    }
}
