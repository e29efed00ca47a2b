import Catalog

/// Who asks, and what that caller may see.
struct Caller: Sendable, Hashable {
    enum Identity: Sendable, Hashable {
        case admin
        case anonymous
        /// By its id, never by the key itself.
        case key(id: String)
    }

    let identity: Identity
    /// The models that this caller sees and uses; nil: all.
    let models: ModelPatterns?

    static let admin = Caller(identity: .admin, models: nil)
    static let anonymous = Caller(identity: .anonymous, models: nil)

    /// For commands' ids and for logs: two requests with one name are of the same caller.
    var name: String {
        switch identity {
        case .admin: "admin"
        case .anonymous: "anonymous"
        case .key(let id): "key:\(id)"
        }
    }

    /// Whether this caller may see and use the model. Names of registrations are held to the same patterns.
    func allows(model: ModelID) -> Bool { models?.match(model) ?? true }
}
