import Catalog

/// Who may do what, as the operator has set it.
struct AccessPolicy: Sendable, Hashable, CustomStringConvertible {
    /// nil: the gateway is open.
    var adminKey: String?
    /// What needs no key where an admin key is set.
    var anonymousScopes: Set<Scope> = []
    /// A catalog older than this may not know of a key's revocation: no API key is honoured then. nil: however old.
    var keysMaxAge: Duration?

    /// What `ROLLCALL_ALLOW_ANONYMOUS` opens: the reads.
    static let reads: Set<Scope> = [.models, .endpointsRead]
    /// What can be opened to everybody.
    static let open: [Scope] = [.models, .inference, .endpointsRead]

    /// Without the key, which would be in a log otherwise as soon as somebody logs what holds this.
    var description: String { "AccessPolicy(\(adminKey == nil ? "open" : "guarded"))" }
}
