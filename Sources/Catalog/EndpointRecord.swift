/// What kind of server an endpoint is; decides how its models are listed.
public struct EndpointKind: OpenName {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// To be found out by the poller.
    public static let auto = Self(rawValue: "auto")
    public static let openai = Self(rawValue: "openai")
    public static let vllm = Self(rawValue: "vllm")
    public static let sglang = Self(rawValue: "sglang")
    public static let llamacpp = Self(rawValue: "llamacpp")
    public static let ollama = Self(rawValue: "ollama")
    public static let lmstudio = Self(rawValue: "lmstudio")
    /// Anthropic's API, which takes the key in `x-api-key`.
    public static let anthropic = Self(rawValue: "anthropic")

    public static let allCases = [Self.auto, .openai, .vllm, .sglang, .llamacpp, .ollama, .lmstudio, .anthropic]

    /// The version of Anthropic's API that a request names if its client did not (Anthropic, "API versions").
    public static let anthropicVersion = "2023-06-01"
}

/// The durable record of one inference server, as the registry holds it.
public struct EndpointRecord: Sendable, Hashable, Codable {
    /// UUID in lower case.
    public var id: String
    /// Unique; ASCII letters, digits, `-`, `_`, `.`; 1–64 characters.
    public var name: String
    /// http or https, without a trailing slash and without a trailing `/v1`; unique.
    public var baseURL: String
    public var kind: EndpointKind
    public var labels: [String: String]
    /// Seconds; nil means the pollers' own default.
    public var pollIntervalSeconds: Int?
    public var maxConcurrency: Int?
    public var draining: Bool
    /// Sealed by a gateway, see `SealedKey`; bound to `id`.
    public var sealedAPIKey: String?
    /// The revision at which URL, kind, or key last changed: snapshots of an older generation do not count.
    public var generation: Int64
    /// The registry's revision of the last change of this record.
    public var revision: Int64
    /// Seconds since 1970.
    public var createdAt: Int64

    public init(
        id: String, name: String, baseURL: String, kind: EndpointKind = .auto, labels: [String: String] = [:],
        pollIntervalSeconds: Int? = nil, maxConcurrency: Int? = nil, draining: Bool = false,
        sealedAPIKey: String? = nil, generation: Int64, revision: Int64, createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.baseURL = baseURL
        self.kind = kind
        self.labels = labels
        self.pollIntervalSeconds = pollIntervalSeconds
        self.maxConcurrency = maxConcurrency
        self.draining = draining
        self.sealedAPIKey = sealedAPIKey
        self.generation = generation
        self.revision = revision
        self.createdAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case id, name, kind, labels, draining, generation, revision
        case baseURL = "base_url"
        case pollIntervalSeconds = "poll_interval_seconds"
        case maxConcurrency = "max_concurrency"
        case sealedAPIKey = "sealed_api_key"
        case createdAt = "created_at"
    }
}
