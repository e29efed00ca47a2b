import Catalog
import Hummingbird

/// A route of the contract, with what its path says.
///
/// Matched by hand and not by a trie of path components: ids and names contain slashes, raw or encoded, and a known
/// path with another method is 405 with `Allow`, for any method there is.
enum Route: Sendable, Hashable {
    case models
    case model(id: String)
    case endpoints
    case endpoint(String)
    case endpointPoll(String)
    case operation(id: String)
    case registrations
    case register
    /// The registrations with their live state.
    case hub
    /// Names of registrations are as sent, in any letter case.
    case registration(String)
    case manifest(String)
    case registrationRefresh(String)
    case registrationVerify(String)
    case inference(InferencePath)
    case keys
    case key(id: String)
    case health
    case readiness

    /// Whom a method of a route is for.
    enum Access: Sendable, Hashable {
        /// Everybody, always: probes carry no keys.
        case open
        case read(Scope)
        case write
        case inference

        /// What an API key must have for it; nil: no key is needed.
        var scope: Scope? {
            switch self {
            case .open: nil
            case .read(let scope): scope
            case .write: .admin
            case .inference: .inference
            }
        }
    }

    /// `path` as sent, without the query. Throws 404 for a path that is no route, 400 for a bad percent-encoding.
    init(path: String) throws(HTTPFailure) {
        switch path {
        case "/v1/models", "/v1/models/": self = .models
        case "/v0/endpoints", "/v0/endpoints/": self = .endpoints
        case "/v0/models", "/v0/models/": self = .registrations
        case "/v0/keys", "/v0/keys/": self = .keys
        case "/healthz": self = .health
        case "/readyz": self = .readiness
        default: self = try Route.parametric(path)
        }
    }

    private static func parametric(_ path: String) throws(HTTPFailure) -> Route {
        if let rest = path.suffix(after: "/v1/models/") {
            return .model(id: try decoded(rest))
        }
        if let rest = path.suffix(after: "/v0/endpoints/") {
            let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count == 1 { return .endpoint(try decoded(parts[0])) }
            if parts.count == 2, parts[1] == "poll", !parts[0].isEmpty { return .endpointPoll(try decoded(parts[0])) }
        }
        if let rest = path.suffix(after: "/v0/operations/"), !rest.isEmpty {
            return .operation(id: try decoded(rest))
        }
        if let rest = path.suffix(after: "/v0/keys/"), !rest.utf8.contains(UInt8(ascii: "/")) {
            return .key(id: try decoded(rest))
        }
        if let rest = path.suffix(after: "/v0/models/"), let route = modelRoute(try decoded(rest)) { return route }
        if let inference = InferencePath(path) { return .inference(inference) }
        throw .notFound("route_not_found", "There is no such route. See the API description for those there are.")
    }

    /// What follows `/v0/models/`. A registration's name has exactly one slash, so the number of parts tells routes
    /// from names, whatever an organisation is called.
    private static func modelRoute(_ rest: String) -> Route? {
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains("") else { return nil }
        switch (parts.count, parts.first, parts.last) {
        case (1, "register", _): return .register
        case (1, "hub", _): return .hub
        case (2, _, _): return .registration(rest)
        case (3, _, "refresh"): return .registrationRefresh(parts[...1].joined(separator: "/"))
        case (3, _, "verify"): return .registrationVerify(parts[...1].joined(separator: "/"))
        case (4, "registry", "manifest.json"): return .manifest(parts[1...2].joined(separator: "/"))
        default: return nil
        }
    }

    private static func decoded(_ text: Substring) throws(HTTPFailure) -> String {
        guard let decoded = PercentEncoding.decode(text) else {
            throw .badRequest("invalid_path", "The path is not percent-encoded UTF-8.")
        }
        return decoded
    }

    /// Without HEAD, which every GET route answers.
    private var methods: [HTTPRequest.Method] {
        switch self {
        case .models, .model, .operation, .health, .readiness, .registrations, .hub, .manifest: [.get]
        case .endpoints, .keys: [.get, .post]
        case .endpoint: [.get, .patch, .delete]
        case .endpointPoll, .register, .registrationRefresh, .registrationVerify, .inference: [.post]
        case .registration: [.get, .delete]
        case .key: [.delete]
        }
    }

    /// Throws 405 with `Allow` for a method that the route does not have.
    func access(_ method: HTTPRequest.Method) throws(HTTPFailure) -> Access {
        let wanted = method == .head ? .get : method
        guard methods.contains(wanted) else {
            let allowed = methods.flatMap { $0 == .get ? [.get, .head] : [$0] }.map(\.rawValue)
            throw HTTPFailure(
                .methodNotAllowed, code: "method_not_allowed",
                "This route does not have that method; it has \(allowed.joined(separator: ", ")).",
                headers: [.allow: allowed.joined(separator: ", ")])
        }
        switch self {
        case .health, .readiness: return .open
        case .inference: return .inference
        case .keys, .key: return wanted == .get ? .read(.admin) : .write
        case .endpoints, .endpoint, .endpointPoll: return wanted == .get ? .read(.endpointsRead) : .write
        default: return wanted == .get ? .read(.models) : .write
        }
    }
}

extension String {
    /// What follows `prefix`; nil where the text does not start with it.
    fileprivate func suffix(after prefix: String) -> Substring? {
        utf8.starts(with: prefix.utf8) ? self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...] : nil
    }
}
