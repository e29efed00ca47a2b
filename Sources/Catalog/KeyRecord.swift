/// What a key allows its holder to do.
public struct Scope: OpenName, Comparable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// To read the list of models and the registered models.
    public static let models = Self(rawValue: "models")
    /// To send requests on to models.
    public static let inference = Self(rawValue: "inference")
    public static let endpointsRead = Self(rawValue: "endpoints:read")
    /// Everything.
    public static let admin = Self(rawValue: "admin")

    public static let allCases = [Self.models, .inference, .endpointsRead, .admin]

    public static func < (left: Scope, right: Scope) -> Bool { left.rawValue < right.rawValue }
}

/// The durable record of one API key, as the registry holds it: never the key itself.
public struct KeyRecord: Sendable, Hashable, Codable {
    /// UUID in lower case.
    public var id: String
    /// For people; need not be unique.
    public var name: String
    /// SHA-256 of the key, 64 hex digits in lower case. A key has 256 random bits, so nothing slower is needed.
    public var digest: String
    /// Sorted, each once.
    public var scopes: [Scope]
    /// Globs (`*`, `?`) of the models that the key sees and uses; nil: all.
    public var models: [String]?
    /// Seconds since 1970; nil: never.
    public var expiresAt: Int64?
    /// The registry's revision at which it was made.
    public var revision: Int64
    /// Seconds since 1970.
    public var createdAt: Int64

    public init(
        id: String, name: String, digest: String, scopes: [Scope], models: [String]? = nil, expiresAt: Int64? = nil,
        revision: Int64, createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.models = models
        self.expiresAt = expiresAt
        self.revision = revision
        self.createdAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case id, name, digest, scopes, models, revision
        case expiresAt = "expires_at"
        case createdAt = "created_at"
    }
}

/// A new key; already checked for form by the gateway, which made the key and keeps nothing of it.
public struct KeyDraft: Sendable, Hashable, Codable {
    /// UUID, derived from the command's id.
    public var id: String
    public var name: String
    public var digest: String
    public var scopes: [Scope]
    public var models: [String]?
    public var expiresAt: Int64?

    public init(
        id: String, name: String, digest: String, scopes: [Scope], models: [String]? = nil, expiresAt: Int64? = nil
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.scopes = scopes
        self.models = models
        self.expiresAt = expiresAt
    }
}
