/// One model as an endpoint reported it. What the endpoint did not say is nil, never guessed.
public struct ModelEntry: Sendable, Hashable, Codable {
    public var id: ModelID
    public var ownedBy: String?
    /// Tokens that a request may use now: the loaded context where the server says so, else its limit.
    public var contextLength: Int?
    public var quantization: String?
    /// Number of parameters; an Ollama "7.6B" becomes 7_600_000_000.
    public var parameterCount: Int64?
    public var architecture: String?
    public var loaded: Bool?
    /// The digest that Ollama lists for the model: SHA-256 of the model's manifest, in hex.
    public var contentDigest: String?
    /// Bytes that the model takes on the endpoint's disk.
    public var sizeBytes: Int64?
    /// What the endpoint says that the model can do. Empty: the endpoint was asked, and named nothing that is known here.
    public var capabilities: ModelCapabilities?
    /// The model's own limit in tokens, if the endpoint says it apart from `contextLength`.
    public var contextLengthMax: Int?
    /// The model that this one is an adapter of (LoRA), by its id on the same endpoint.
    public var parent: String?
    /// Other names under which the endpoint takes requests for the model. Never empty, and never the id itself.
    public var aliases: [ModelID]?
    /// Seconds since 1970 when this endpoint was first seen with this model. Not covered by the digest.
    public var firstSeen: Int64

    public init(
        id: ModelID, ownedBy: String? = nil, contextLength: Int? = nil, quantization: String? = nil,
        parameterCount: Int64? = nil, architecture: String? = nil, loaded: Bool? = nil, contentDigest: String? = nil,
        sizeBytes: Int64? = nil, capabilities: ModelCapabilities? = nil, contextLengthMax: Int? = nil,
        parent: String? = nil, aliases: [ModelID]? = nil, firstSeen: Int64
    ) {
        self.id = id
        self.ownedBy = ownedBy
        self.contextLength = contextLength
        self.quantization = quantization
        self.parameterCount = parameterCount
        self.architecture = architecture
        self.loaded = loaded
        self.contentDigest = contentDigest
        self.sizeBytes = sizeBytes
        self.capabilities = capabilities
        self.contextLengthMax = contextLengthMax
        self.parent = parent
        self.aliases = aliases
        self.firstSeen = firstSeen
    }

    enum CodingKeys: String, CodingKey {
        case id, quantization, architecture, loaded, capabilities, parent, aliases
        case ownedBy = "owned_by"
        case contextLength = "context_length"
        case contextLengthMax = "context_length_max"
        case parameterCount = "parameter_count"
        case contentDigest = "content_digest"
        case sizeBytes = "size_bytes"
        case firstSeen = "first_seen"
    }
}

/// What an endpoint's last polls say of it.
public struct EndpointState: OpenName {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// No poll has been reported yet for the record's generation.
    public static let pending = Self(rawValue: "pending")
    public static let online = Self(rawValue: "online")
    /// One failed poll, not yet confirmed.
    public static let degraded = Self(rawValue: "degraded")
    public static let offline = Self(rawValue: "offline")

    public static let allCases = [Self.pending, .online, .degraded, .offline]
}

/// Why a poll failed. Neither field ever holds a secret.
public struct PollFailure: Sendable, Hashable, Codable {
    public var code: String
    public var message: String

    /// The code of a poll that got a connection, and no answer in time.
    public static let timeout = "timeout"

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// What one poll of one endpoint found. A row has two independent parts, each joined by the newest tick:
/// its health, and, where `models` is given, its list of models.
public struct SnapshotRow: Sendable, Hashable, Codable {
    public var endpoint: String
    public var generation: Int64
    public var tick: Int64
    public var poller: String
    public var state: EndpointState
    /// Failed polls in a row.
    public var failures: Int
    /// The pollers that saw those failures; empty when there are none.
    public var failedBy: [String]
    /// Kind as found out; nil where no poll has succeeded yet.
    public var kind: EndpointKind?
    public var latencyMilliseconds: Int?
    public var error: PollFailure?
    /// Milliseconds since 1970, by the poller's clock.
    public var observedAt: Int64
    public var lastOKAt: Int64?
    /// GPU memory of the whole server in bytes, where it reports that.
    public var gpuMemoryBytes: Int64?
    /// The digest of the list that the job named as held; nil where none was held.
    public var baseDigest: String?
    /// The digest of the last good list; equal to `baseDigest` where it did not change or the poll failed.
    public var digest: String?
    /// Left out where `digest` equals `baseDigest`.
    public var models: [ModelEntry]?
    /// Only in a row that says again what is known: the tick at which `models` was polled, where that is not `tick`.
    public var modelsTick: Int64?

    public init(
        endpoint: String, generation: Int64, tick: Int64, poller: String, state: EndpointState, failures: Int = 0,
        failedBy: [String] = [], kind: EndpointKind? = nil, latencyMilliseconds: Int? = nil,
        error: PollFailure? = nil, observedAt: Int64, lastOKAt: Int64? = nil, gpuMemoryBytes: Int64? = nil,
        baseDigest: String? = nil, digest: String? = nil, models: [ModelEntry]? = nil, modelsTick: Int64? = nil
    ) {
        self.endpoint = endpoint
        self.generation = generation
        self.tick = tick
        self.poller = poller
        self.state = state
        self.failures = failures
        self.failedBy = failedBy
        self.kind = kind
        self.latencyMilliseconds = latencyMilliseconds
        self.error = error
        self.observedAt = observedAt
        self.lastOKAt = lastOKAt
        self.gpuMemoryBytes = gpuMemoryBytes
        self.baseDigest = baseDigest
        self.digest = digest
        self.models = models
        self.modelsTick = modelsTick
    }

    enum CodingKeys: String, CodingKey {
        case endpoint, generation, tick, poller, state, failures, kind, error, digest, models
        case failedBy = "failed_by"
        case latencyMilliseconds = "latency_ms"
        case observedAt = "observed_at"
        case lastOKAt = "last_ok_at"
        case gpuMemoryBytes = "gpu_memory_bytes"
        case baseDigest = "base_digest"
        case modelsTick = "models_tick"
    }
}
