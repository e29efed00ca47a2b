/// One generation to be run on one endpoint. AMQP property `type` is `verify.job`, on the queue `BrokerMap.verifications`.
public struct VerifyJob: Sendable, Hashable, Codable {
    /// Name of the registration.
    public var registration: String
    /// The registry's revision at which it was asked for: later verifications have higher ones.
    public var number: Int64
    public var endpoint: EndpointRecord
    /// Id under which the endpoint lists the model.
    public var model: ModelID
    /// The whole request has this long.
    public var timeoutMilliseconds: Int

    public init(
        registration: String, number: Int64, endpoint: EndpointRecord, model: ModelID, timeoutMilliseconds: Int
    ) {
        self.registration = registration
        self.number = number
        self.endpoint = endpoint
        self.model = model
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    enum CodingKeys: String, CodingKey {
        case registration, number, endpoint, model
        case timeoutMilliseconds = "timeout_ms"
    }
}

/// What a generation on one endpoint came to.
public struct VerifyResult: Sendable, Hashable, Codable {
    public struct Outcome: OpenName {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// A chat completion with at least one token came back.
        public static let ok = Self(rawValue: "ok")
        public static let error = Self(rawValue: "error")
        public static let timeout = Self(rawValue: "timeout")

        public static let allCases = [Self.ok, .error, .timeout]
    }

    /// Name of the registration.
    public var registration: String
    /// Of the job, see `VerifyJob.number`.
    public var number: Int64
    /// Id of the endpoint.
    public var endpoint: String
    /// Of the endpoint's record: what another generation of it does says nothing of this one.
    public var generation: Int64
    public var model: ModelID
    public var outcome: Outcome
    /// Tokens generated, where the endpoint said so.
    public var tokens: Int?
    public var latencyMilliseconds: Int?
    /// First 40 characters of what was generated.
    public var text: String?
    /// Where the outcome is not `ok`.
    public var error: PollFailure?
    /// Who ran it: a poller's id, or `registrar` where nobody has.
    public var by: String
    /// Milliseconds since 1970, by the clock of `by`.
    public var at: Int64

    public init(
        registration: String, number: Int64, endpoint: String, generation: Int64, model: ModelID, outcome: Outcome,
        tokens: Int? = nil, latencyMilliseconds: Int? = nil, text: String? = nil, error: PollFailure? = nil,
        by: String, at: Int64
    ) {
        self.registration = registration
        self.number = number
        self.endpoint = endpoint
        self.generation = generation
        self.model = model
        self.outcome = outcome
        self.tokens = tokens
        self.latencyMilliseconds = latencyMilliseconds
        self.text = text
        self.error = error
        self.by = by
        self.at = at
    }

    enum CodingKeys: String, CodingKey {
        case registration, number, endpoint, generation, model, outcome, tokens, text, error, by, at
        case latencyMilliseconds = "latency_ms"
    }
}
