import Catalog
import Conventions
import Crypto
import HTTPTypes

/// Who may do what.
///
/// - With an admin key, every route but `/healthz` and `/readyz` needs a key: the admin key, which does everything, or an
///   API key of the catalog with the scope that the route asks for. The policy's anonymous scopes need none; an unknown
///   key is no worse than none there (OpenAI's clients always send some).
/// - Without an admin key the gateway is open. A key gives and takes no rights, but the owner of an API key still sees
///   only that key's models, and has its own `Idempotency-Key`s. A write must come from this host, with
///   `Content-Type: application/json`, a loopback `Host`, and no foreign `Origin`: so no other machine can make it, and no
///   web page, not even through a name that was rebound to this address. That holds as well if
///   `ROLLCALL_ALLOW_ANONYMOUS` has put an open gateway on another address: to write from elsewhere, set an admin key.
struct AccessRules: Sendable {
    private let adminKeyDigest: SHA256Digest?
    private let policy: AccessPolicy
    private let catalog: any CatalogSource
    /// Milliseconds since 1970.
    private let now: @Sendable () -> Int64

    init(_ policy: AccessPolicy, catalog: any CatalogSource, now: @escaping @Sendable () -> Int64) {
        adminKeyDigest = policy.adminKey.map(PresentedKey.digest(of:))
        // From here on the digest is enough, and what does not hold the key cannot log it.
        var policy = policy
        policy.adminKey = nil
        self.policy = policy
        self.catalog = catalog
        self.now = now
    }

    /// Throws 400 `conflicting_keys`, 401, 403, or 503 `catalog_not_ready` or `keys_unverifiable`.
    func caller(of request: Request, for access: Route.Access) throws(HTTPFailure) -> Caller {
        guard let scope = access.scope else { return .anonymous }
        let presented = PresentedKey.all(request.headers)
        guard let adminKeyDigest else {
            try checkOpen(request, for: access)
            if presented.isEmpty { return .anonymous }
            return try found(presented).map { $0.caller } ?? .anonymous
        }
        let isOpen = policy.anonymousScopes.contains(scope)
        let caller = try guardedCaller(presented, of: request, for: scope, isOpen: isOpen, adminKeyDigest)
        // With an anonymous scope any page's form could be sent here in the name of nobody.
        if caller.identity == .anonymous, access == .inference { try checkOrigin(request) }
        return caller
    }

    /// Without a key, if an admin key is set.
    private var anonymous: Caller {
        Caller(identity: .anonymous, models: nil, mayList: policy.anonymousScopes.contains(.models))
    }

    private func guardedCaller(
        _ presented: [String], of request: Request, for scope: Scope, isOpen: Bool, _ adminKeyDigest: SHA256Digest
    ) throws(HTTPFailure) -> Caller {
        if presented.isEmpty {
            if isOpen { return anonymous }
            throw missing(request)
        }
        let key = try found(presented, admin: adminKeyDigest)
        // A valid key must not be worse than none: what everybody may do, its owner may do whatever the catalog's age.
        if isOpen { return key?.caller ?? anonymous }
        if key?.caller.identity == .admin { return .admin }
        try checkKeysAreKnown()
        guard let key, let record = key.record else { throw invalid(presented) }
        guard record.scopes.contains(scope) || record.scopes.contains(.admin) else {
            let held = record.scopes.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw HTTPFailure(
                .forbidden, code: "insufficient_scope",
                "The key that was sent lacks the scope \"\(scope.rawValue)\", which this route needs: it has \(held). Ask the "
                    + "operator for a key with that scope.",
                headers: [.wwwAuthenticate: "Bearer error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""])
        }
        return key.caller
    }
}

// MARK: - Keys

extension AccessRules {
    private struct FoundKey {
        let caller: Caller
        /// nil for the admin key.
        let record: KeyRecord?
    }

    /// The one key of a request that is valid; nil if none is. Clients often send a placeholder in one header and the real
    /// key in another.
    ///
    /// Throws 400 `conflicting_keys` if two different ones are valid: which of them was meant cannot be known.
    private func found(_ presented: [String], admin: SHA256Digest? = nil) throws(HTTPFailure) -> FoundKey? {
        let view = catalog.view
        var found: FoundKey?
        for text in presented {
            let digest = PresentedKey.digest(of: text)
            // Comparing digests takes the same time wherever they differ (swift-crypto), and digests of keys of any
            // length have one length.
            let isAdmin = admin.map { $0 == digest } ?? false
            let key = isAdmin || !text.hasPrefix(KeyRules.prefix) ? nil : view.key(digest: digest.hexadecimal)
            guard isAdmin || key.map({ !$0.record.isExpired(at: now()) }) ?? false else { continue }
            guard found == nil else {
                throw .badRequest(
                    "conflicting_keys", "The request carries two different keys, and both are valid. Send one of them.")
            }
            found = FoundKey(caller: key.map(caller) ?? .admin, record: key?.record)
        }
        return found
    }

    private func caller(_ key: (record: KeyRecord, models: ModelPatterns?)) -> Caller {
        let mayList =
            adminKeyDigest == nil || policy.anonymousScopes.contains(.models)
            || key.record.scopes.contains { $0 == .models || $0 == .admin }
        return Caller(identity: .key(id: key.record.id), models: key.models, mayList: mayList)
    }

    /// While the log is being read for the first time, a revoked key looks like a valid one, and a valid one may not be
    /// there yet. A catalog that is too old may not know of a revocation.
    private func checkKeysAreKnown() throws(HTTPFailure) {
        let view = catalog.view
        try view.checkReady()
        if let limit = policy.keysMaxAge, view.age(at: .now).map({ $0 > limit }) ?? true {
            throw .unavailable(
                "keys_unverifiable",
                "This gateway has heard nothing of the registry for too long to say which keys are still valid. Try again "
                    + "shortly.", retryAfter: 5)
        }
    }

    private func missing(_ request: Request) -> HTTPFailure {
        let isOtherForm = request.headers[values: .authorization].contains { !$0.utf8.allSatisfy(\.isBlank) }
        return .unauthorized(
            "missing_api_key",
            isOtherForm
                ? "The Authorization header of this request is not of the form `Authorization: Bearer KEY`. A key may also "
                    + "be sent as `X-API-Key: KEY`."
                : "This route needs a key, and the request carries no key. Send it in a header, as `Authorization: Bearer KEY` "
                    + "or `X-API-Key: KEY`.")
    }

    /// A key that was revoked is known no more: only one that expired can be told from one that never was.
    private func invalid(_ presented: [String]) -> HTTPFailure {
        for text in presented {
            guard let record = catalog.view.key(digest: PresentedKey.digest(of: text).hexadecimal)?.record,
                let end = record.expiresAt
            else { continue }
            return .unauthorized(
                "key_expired",
                "The key that was sent expired at \(Timestamp.text(seconds: end)). Ask the operator for a new one.")
        }
        return .unauthorized(
            "invalid_api_key",
            "The key that was sent is not known here. It is mistyped, was revoked, or is another service's. API keys of this "
                + "gateway begin with \(KeyRules.prefix).")
    }
}

// MARK: - Queries

extension AccessRules {
    /// Throws 400 `key_in_query`. The query of an inference request goes on to an endpoint, and an endpoint gets no key of
    /// this gateway. A key in a query that is not this gateway's means nothing here.
    func checkNoKey(in query: String) throws(HTTPFailure) {
        for parameter in query.split(separator: "&") {
            let value = parameter.drop { $0 != "=" }.dropFirst()
            guard !value.isEmpty, let text = PercentEncoding.decode(value), isKey(text) else { continue }
            throw .badRequest(
                "key_in_query",
                "A key of this gateway is in the query of the request, which the endpoint and logs would see. Send it in a "
                    + "header, as `Authorization: Bearer KEY`.")
        }
    }

    private func isKey(_ text: String) -> Bool {
        let digest = PresentedKey.digest(of: text)
        if let adminKeyDigest, adminKeyDigest == digest { return true }
        return text.hasPrefix(KeyRules.prefix) && catalog.view.key(digest: digest.hexadecimal) != nil
    }
}

// MARK: - The open gateway

extension AccessRules {
    private func checkOpen(_ request: Request, for access: Route.Access) throws(HTTPFailure) {
        switch access {
        case .open: return
        case .write: try checkOpenWrite(request)
        case .inference: try checkOpenInference(request)
        case .read:
            // A page whose name was rebound to this address could read the fleet's inner addresses.
            guard policy.listensOnLoopback else { return }
            try checkHost(request, "Without an admin key a gateway on a loopback address answers only at that address.")
        }
    }

    /// Keeps web pages from sending requests in their visitors' name (CSRF). A browser asks before it sends JSON to
    /// another origin, and only `ROLLCALL_CORS_ORIGINS` allows that. It does not ask before it sends a form, so forms are
    /// told by their `Origin`. Unlike writes, inference needs no loopback `Host`: an operator who opens the gateway to a
    /// network wants it used from there.
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
        // A DELETE has no body to have a type; a browser asks before it sends one to another origin.
        if request.method != .delete, !MediaType.isJSON(request.headers[.contentType]) {
            throw HTTPFailure(
                .forbidden, code: "content_type_required",
                "Without an admin key a write must have Content-Type: application/json.")
        }
        guard request.isFromLoopback else {
            throw HTTPFailure(
                .forbidden, code: "loopback_client_required",
                "Without an admin key writes are accepted only from this host. Set ROLLCALL_ADMIN_KEY to write from "
                    + "elsewhere.")
        }
        try checkHost(request, "Without an admin key writes are accepted only at a loopback address.")
        // Also if ROLLCALL_CORS_ORIGINS lists it: nothing that a page does may change an open gateway.
        if let origin = request.headers[.origin], !Loopback.isLoopback(origin: origin) { throw Self.foreignOrigin }
    }

    private func checkOrigin(_ request: Request) throws(HTTPFailure) {
        guard let origin = request.headers[.origin], !Loopback.isLoopback(origin: origin) else { return }
        guard let cors = policy.cors, cors.allows(origin) else { throw Self.foreignOrigin }
    }

    /// `Host`, and the host of a target in absolute form as well: a proxy in between may heed either.
    private func checkHost(_ request: Request, _ message: String) throws(HTTPFailure) {
        let hosts = request.headers[values: .hostField] + (request.targetAuthority.map { [$0] } ?? [])
        guard !hosts.isEmpty, hosts.allSatisfy({ Loopback.isLoopback(authority: $0) }) else {
            throw HTTPFailure(
                .forbidden, code: "loopback_host_required",
                message + " The Host of this request is another one. Set ROLLCALL_ADMIN_KEY to use it from elsewhere.")
        }
    }

    private static let foreignOrigin = HTTPFailure(
        .forbidden, code: "foreign_origin",
        "Without a key no other site's page may send this. ROLLCALL_CORS_ORIGINS lists the sites that may use inference."
    )
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
