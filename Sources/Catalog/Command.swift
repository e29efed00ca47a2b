/// A write, on its way from a gateway to the registrar. AMQP property `type` is `command`.
public struct Command: Sendable, Hashable, Codable {
    /// Hash of the caller and its `Idempotency-Key`, or random: the same id has one effect and one answer.
    public var id: String
    /// Unique for each HTTP request; an operation with this id answers a command whose `id` was used with another body.
    public var request: String
    /// Who asked, for the log and the fingerprint; never a secret.
    public var caller: String
    /// HMAC-SHA256 (hex) of method, path, and plain body: tells a repeat from another request under the same key.
    public var fingerprint: String
    /// The same by the other secret keys of the gateway; nil where it has one key.
    public var otherFingerprints: [String]?
    /// Milliseconds since 1970 by the registrar's clock: not executed later than this.
    public var deadline: Int64
    public var action: Action
    /// From the message's headers; not in the body.
    public var trace: TraceContext?

    private enum CodingKeys: CodingKey {
        case id, request, caller, fingerprint, otherFingerprints, deadline, action
    }

    public init(
        id: String, request: String, caller: String, fingerprint: String, otherFingerprints: [String]? = nil,
        deadline: Int64, action: Action
    ) {
        self.id = id
        self.request = request
        self.caller = caller
        self.fingerprint = fingerprint
        self.otherFingerprints = otherFingerprints
        self.deadline = deadline
        self.action = action
    }

    public enum Action: Sendable, Hashable, Codable {
        case createEndpoint(EndpointDraft)
        case updateEndpoint(id: String, EndpointChange)
        case deleteEndpoint(id: String)
        case registerModel(RegistrationRequest)
        /// Looks a repository up as a registration would, and registers nothing.
        case previewModel(RegistrationRequest)
        case deleteModel(name: String)
        /// `isApplied`: where the repository has moved on, the new commit takes the place of the old one.
        case refreshModel(name: String, isApplied: Bool)
        case verifyModel(name: String)
        case createKey(KeyDraft)
        case revokeKey(id: String)
    }
}

/// A new endpoint; already checked for form and normalised by the gateway, checked again by the registrar.
public struct EndpointDraft: Sendable, Hashable, Codable {
    /// UUID, chosen by the gateway because the sealed key is bound to it; derived from the command's id.
    public var id: String
    public var name: String
    public var baseURL: String
    public var kind: EndpointKind
    public var labels: [String: String]
    public var pollIntervalSeconds: Int?
    public var maxConcurrency: Int?
    public var sealedAPIKey: String?

    public init(
        id: String, name: String, baseURL: String, kind: EndpointKind = .auto, labels: [String: String] = [:],
        pollIntervalSeconds: Int? = nil, maxConcurrency: Int? = nil, sealedAPIKey: String? = nil
    ) {
        self.id = id
        self.name = name
        self.baseURL = baseURL
        self.kind = kind
        self.labels = labels
        self.pollIntervalSeconds = pollIntervalSeconds
        self.maxConcurrency = maxConcurrency
        self.sealedAPIKey = sealedAPIKey
    }
}

/// A change of an endpoint: what is nil stays as it is.
public struct EndpointChange: Sendable, Hashable, Codable {
    /// A new value, or back to none: JSON null in a PATCH.
    public enum Setting<Value: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
        case set(Value)
        case clear
    }

    public var name: String?
    public var baseURL: String?
    public var kind: EndpointKind?
    public var labels: [String: String]?
    public var pollIntervalSeconds: Setting<Int>?
    public var maxConcurrency: Setting<Int>?
    public var sealedAPIKey: Setting<String>?
    public var draining: Bool?

    public init() {}
}
