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
    /// Whether messages may name models that this caller has not named: not without the scope `models`.
    var mayList = true

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

    /// The name under which this caller may use the model that it calls `name`; nil if it may not. Another name of the
    /// model is given if the caller's patterns match that one only.
    func usableName(_ name: String, in view: @autoclosure () -> CatalogView) -> String? {
        guard let models else { return name }
        return view().name(name, allowedBy: models)
    }
}

/// Who may do what, as the operator has set it.
struct AccessPolicy: Sendable, Hashable, CustomStringConvertible {
    /// nil: the gateway is open.
    var adminKey: String?
    /// What needs no key if an admin key is set.
    var anonymousScopes: Set<Scope> = []
    /// A catalog older than this may not know of a key's revocation: no API key is honoured then. nil: however old.
    var keysMaxAge: Duration?
    /// Whether only this host can reach the gateway.
    var listensOnLoopback = false
    /// Which other sites' pages may call the gateway; nil: none.
    var cors: CORSPolicy?

    /// What `ROLLCALL_ALLOW_ANONYMOUS` opens: the reads.
    static let reads: Set<Scope> = [.models, .endpointsRead]
    /// What can be opened to everybody.
    static let open: [Scope] = [.models, .inference, .endpointsRead]

    /// Without the key, which would be in a log otherwise as soon as somebody logs what holds this.
    var description: String { "AccessPolicy(\(adminKey == nil ? "open" : "guarded"))" }
}
