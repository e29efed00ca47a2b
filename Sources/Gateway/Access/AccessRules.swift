import Catalog
import Crypto
import Hummingbird

/// Who may do what.
///
/// - With an admin key, every route but `/healthz` and `/readyz` needs a key: the admin key, which does everything, or an
///   API key of the catalog with the scope that the route asks for. The policy's anonymous scopes need none; an unknown
///   key is no worse than none there (OpenAI's clients always send some).
/// - Without one the gateway is open: a key gives and takes no rights, but one that the catalog knows still sees only its
///   own models, and keeps its `Idempotency-Key`s to itself. A write must carry `Content-Type: application/json` and a
///   loopback `Host`, and no foreign `Origin`, so that no web page can make it, also not through a name that was rebound
///   to this address. That holds as well where `ROLLCALL_ALLOW_ANONYMOUS` has put an open gateway on another address: who
///   wants to write from elsewhere sets an admin key.
struct AccessRules: Sendable {
    private let adminKeyDigest: SHA256Digest?
    private let anonymousScopes: Set<Scope>
    private let keysMaxAge: Duration?
    private let catalog: any CatalogSource
    /// Milliseconds since 1970.
    private let now: @Sendable () -> Int64

    init(_ policy: AccessPolicy, catalog: any CatalogSource, now: @escaping @Sendable () -> Int64) {
        adminKeyDigest = policy.adminKey.map { SHA256.hash(data: Array($0.utf8)) }
        anonymousScopes = policy.anonymousScopes
        keysMaxAge = policy.keysMaxAge
        self.catalog = catalog
        self.now = now
    }

    /// Throws 400, 401, 403, or 503 `keys_unverifiable`.
    func caller(of request: Request, for access: Route.Access) throws(HTTPFailure) -> Caller {
        guard let scope = access.scope else { return .anonymous }
        guard let adminKeyDigest else { return try openCaller(of: request, for: access) }
        let isOpen = anonymousScopes.contains(scope)
        guard let presented = try PresentedKey.of(request.headers) else {
            if isOpen { return .anonymous }
            throw .unauthorized(
                "missing_api_key", "This route needs a key: send it as `Authorization: Bearer …` or `X-API-Key`.")
        }
        let digest = SHA256.hash(data: Array(presented.utf8))
        // Equality of digests takes the same time wherever they differ (swift-crypto), and digests of keys of any
        // length have one length.
        if digest == adminKeyDigest { return .admin }
        return try keyCaller(digest, for: scope, isOpen: isOpen)
    }

    /// The caller whose API key has this digest. `isOpen`: the scope is everybody's.
    private func keyCaller(_ digest: SHA256Digest, for scope: Scope, isOpen: Bool) throws(HTTPFailure) -> Caller {
        let key = catalog.key(digest)
        if isOpen, key?.record.isExpired(at: now()) ?? true { return .anonymous }
        // While the log is being read for the first time, a revoked key looks like a valid one and a valid one may not
        // be there yet.
        try catalog.checkReady()
        if let limit = keysMaxAge, catalog.age.map({ $0 > limit }) ?? true {
            throw .unavailable(
                "keys_unverifiable",
                "This gateway has heard nothing of the registry for too long to say which keys are still valid. Try again "
                    + "shortly.", retryAfter: 5)
        }
        guard let key else {
            throw .unauthorized("invalid_api_key", "The key that was sent is not valid.")
        }
        if key.record.isExpired(at: now()) {
            throw .unauthorized("key_expired", "The key that was sent has expired; ask for a new one.")
        }
        guard isOpen || key.record.scopes.contains(scope) || key.record.scopes.contains(.admin) else {
            throw HTTPFailure(
                .forbidden, code: "insufficient_scope",
                "The key that was sent does not have the scope \"\(scope.rawValue)\", which this needs.",
                headers: [.wwwAuthenticate: "Bearer error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""])
        }
        return Caller(key)
    }

    private func openCaller(of request: Request, for access: Route.Access) throws(HTTPFailure) -> Caller {
        if access == .write { try checkOpenWrite(request) }
        if access == .inference { try checkOpenInference(request) }
        // Nothing that is in the headers is wrong here, also not two keys that differ.
        let presented = PresentedKey.all(request.headers)
        guard let text = presented.first, presented.allSatisfy({ $0 == text }), text.hasPrefix(KeyRules.prefix),
            let key = catalog.key(SHA256.hash(data: Array(text.utf8))), !key.record.isExpired(at: now())
        else { return .anonymous }
        return Caller(key)
    }

    /// A page elsewhere can make no request of these types without its browser asking first, which is not allowed, but for
    /// a form: that is told by its `Origin`. Other hosts may: who opens a gateway to them opens it for this.
    private func checkOpenInference(_ request: Request) throws(HTTPFailure) {
        let type = request.headers[.contentType]
        guard MediaType.isJSON(type) || MediaType.isForm(type) else {
            throw HTTPFailure(
                .forbidden, code: "content_type_required",
                "Without an admin key a request must have Content-Type: application/json or multipart/form-data.")
        }
        try checkOrigin(request)
    }

    private func checkOpenWrite(_ request: Request) throws(HTTPFailure) {
        // A DELETE has no body to have a type; a web page cannot send one across origins without asking first.
        if request.method != .delete, !MediaType.isJSON(request.headers[.contentType]) {
            throw HTTPFailure(
                .forbidden, code: "content_type_required",
                "Without an admin key a write must have Content-Type: application/json.")
        }
        guard let authority = request.head.authority, Loopback.isLoopback(authority: authority) else {
            throw HTTPFailure(
                .forbidden, code: "loopback_host_required",
                "Without an admin key writes are accepted only at a loopback address. Set ROLLCALL_ADMIN_KEY to "
                    + "write from elsewhere.")
        }
        try checkOrigin(request)
    }

    private func checkOrigin(_ request: Request) throws(HTTPFailure) {
        if let origin = request.headers[.origin], !Loopback.isLoopback(origin: origin) {
            throw HTTPFailure(
                .forbidden, code: "foreign_origin", "Without an admin key no other site's page may write here.")
        }
    }
}

/// The key that a request carries, in its headers only: addresses end up in logs.
enum PresentedKey {
    /// The key in `Authorization: Bearer` or `X-API-Key`. Throws 400 `conflicting_keys` where both are given and
    /// differ: which of them was meant cannot be known.
    static func of(_ headers: HTTPFields) throws(HTTPFailure) -> String? {
        let keys = all(headers)
        guard keys.allSatisfy({ $0 == keys[0] }) else {
            throw .badRequest("conflicting_keys", "Authorization and X-API-Key carry different keys; send one of them.")
        }
        return keys.first
    }

    /// That of each of the two headers which has one.
    static func all(_ headers: HTTPFields) -> [String] {
        var keys: [String] = []
        if let token = headers[.authorization].flatMap(bearerToken) { keys.append(token) }
        if let key = headers[.apiKey], !key.isEmpty { keys.append(key) }
        return keys
    }

    private static func bearerToken(_ value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}

extension CatalogSource {
    fileprivate func key(_ digest: SHA256Digest) -> (record: KeyRecord, models: ModelPatterns?)? {
        let text = Hex.text(of: digest)
        return read { $0.key(digest: text) }
    }
}

extension Caller {
    fileprivate init(_ key: (record: KeyRecord, models: ModelPatterns?)) {
        self.init(identity: .key(id: key.record.id), models: key.models)
    }
}

extension KeyRecord {
    /// `now`: milliseconds since 1970.
    fileprivate func isExpired(at now: Int64) -> Bool { expiresAt.map { $0 <= now / 1000 } ?? false }
}

extension HTTPFailure {
    fileprivate static func unauthorized(_ code: String, _ message: String) -> HTTPFailure {
        HTTPFailure(.unauthorized, code: code, message, headers: [.wwwAuthenticate: "Bearer"])
    }
}
