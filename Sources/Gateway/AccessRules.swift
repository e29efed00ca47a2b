import Crypto
import FoundationEssentials
import Hummingbird

/// Who asks.
enum Caller: String, Sendable, Hashable {
    case admin
    case anonymous
}

/// Who may do what, as long as there are no API keys: the admin key does everything.
///
/// - With an admin key, every route but `/healthz` and `/readyz` needs it. `allowsAnonymous` opens the reads.
/// - Without one the gateway is open: keys are ignored (OpenAI's clients always send some), and a write must carry
///   `Content-Type: application/json` and a loopback `Host`, and no foreign `Origin`, so that no web page can make it,
///   also not through a name that was rebound to this address. That holds as well where `allowsAnonymous` has put an
///   open gateway on another address: who wants to write from elsewhere sets an admin key.
struct AccessRules: Sendable {
    private let adminKeyDigest: SHA256Digest?
    private let allowsAnonymous: Bool

    init(adminKey: String?, allowsAnonymous: Bool) {
        adminKeyDigest = adminKey.map { SHA256.hash(data: Array($0.utf8)) }
        self.allowsAnonymous = allowsAnonymous
    }

    /// Throws 400, 401, or 403.
    func caller(of request: Request, for access: Route.Access) throws(HTTPFailure) -> Caller {
        guard access != .open else { return .anonymous }
        guard let adminKeyDigest else {
            if access == .write { try checkOpenWrite(request) }
            return .anonymous
        }
        let presented = try Self.presentedKey(request.headers)
        // Equality of digests takes the same time wherever they differ (swift-crypto), and digests of keys of any
        // length have one length.
        if let presented, SHA256.hash(data: Array(presented.utf8)) == adminKeyDigest { return .admin }
        if access == .read, allowsAnonymous { return .anonymous }
        throw HTTPFailure(
            .unauthorized, code: presented == nil ? "missing_api_key" : "invalid_api_key",
            presented == nil
                ? "This route needs a key: send it as `Authorization: Bearer …` or `X-API-Key`."
                : "The key that was sent is not valid.",
            headers: [.wwwAuthenticate: "Bearer"])
    }

    /// The key in `Authorization: Bearer` or `X-API-Key`. Throws 400 `conflicting_keys` where both are given and
    /// differ: which of them was meant cannot be known.
    static func presentedKey(_ headers: HTTPFields) throws(HTTPFailure) -> String? {
        let bearer = headers[.authorization].flatMap(bearerToken)
        let header = headers[.apiKey].flatMap { $0.isEmpty ? nil : $0 }
        if let bearer, let header, bearer != header {
            throw .badRequest("conflicting_keys", "Authorization and X-API-Key carry different keys; send one of them.")
        }
        return bearer ?? header
    }

    private static func bearerToken(_ value: String) -> String? {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
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
        if let origin = request.headers[.origin], !Loopback.isLoopback(origin: origin) {
            throw HTTPFailure(
                .forbidden, code: "foreign_origin", "Without an admin key no other site's page may write here.")
        }
    }
}

enum MediaType {
    /// `application/json`, in any case, with any parameters.
    static func isJSON(_ contentType: String?) -> Bool {
        guard let first = contentType?.split(separator: ";", omittingEmptySubsequences: false).first else {
            return false
        }
        return first.lowercased().filter { $0 != " " && $0 != "\t" } == "application/json"
    }
}
