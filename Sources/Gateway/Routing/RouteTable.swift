import Catalog
import HTTPTypes

/// One line of the route table: a method of a path, whom it is for, and what answers it.
struct Route: Sendable {
    let method: HTTPRequest.Method
    let pattern: RoutePattern
    let access: Access
    /// nil: the path fits the pattern and is no route all the same.
    let handler: @Sendable (_ path: String) -> Handler?
    /// Whether hints may name it: not if it always refuses.
    var isOffered = true

    init(_ method: HTTPRequest.Method, _ pattern: String, _ access: Access, _ handler: Handler) {
        self.init(method, pattern, access) { _ in handler }
    }

    init(
        _ method: HTTPRequest.Method, _ pattern: String, _ access: Access,
        handler: @escaping @Sendable (_ path: String) -> Handler?
    ) {
        self.method = method
        self.pattern = RoutePattern(pattern)
        self.access = access
        self.handler = handler
    }

    /// Does not change with the path of a request: the name of the route in metrics.
    var name: String { pattern.text }

    /// Whom a route is for.
    enum Access: Sendable, Hashable {
        /// Everybody, always: probes carry no keys.
        case open
        case read(Scope)
        case write
        case inference

        /// The scope that an API key needs for it; nil: no key is needed.
        var scope: Scope? {
            switch self {
            case .open: nil
            case .read(let scope): scope
            case .write: .admin
            case .inference: .inference
            }
        }
    }
}

/// What answers a route, and where that runs.
enum Handler: Sendable {
    /// On the connection's event loop, without waiting for anything. The request's body is not looked at.
    case loop(@Sendable (RouteCall) throws(HTTPFailure) -> Response)
    /// As a task, once the request's body has been read.
    case task(@Sendable (RouteCall) async throws -> Response)
    /// Sent on to an endpoint.
    case inference(InferencePath)
    /// Like `loop`, unless the request asks to wait for a version of the catalog (`min_version`): then as a task.
    case versioned(@Sendable (RouteCall) throws(HTTPFailure) -> Response)
}

/// All routes. The path of a request leads to its route, or to 404, and its method to 405 with `Allow`.
struct RouteTable: Sendable {
    /// The routes of one pattern, one for each method.
    private final class Place: Sendable {
        let pattern: RoutePattern
        let routes: [Route]
        /// For a pattern without placeholders: what a request to it finds, by method.
        let matches: [RouteMatch]

        init(_ pattern: RoutePattern, _ routes: [Route]) {
            self.pattern = pattern
            self.routes = routes
            matches =
                pattern.isFixed
                ? routes.compactMap { route in
                    route.handler(pattern.text).map { RouteMatch(route: route, handler: $0, path: pattern.text) }
                } : []
        }

        /// GET is answered for HEAD as well.
        var allow: String {
            routes.flatMap { $0.method == .get ? [.get, .head] : [$0.method] }.map(\.rawValue).joined(separator: ", ")
        }
    }

    /// Paths without placeholders, found by one look-up.
    private var fixed: [String: Place] = [:]
    private var patterns: [Place] = []

    /// If two patterns with placeholders fit a path, the first one is its route. A path without placeholders comes
    /// before all patterns.
    init(_ routes: [Route]) {
        var texts: [String] = []
        var byText: [String: [Route]] = [:]
        for route in routes {
            if byText[route.name] == nil { texts.append(route.name) }
            byText[route.name, default: []].append(route)
        }
        for text in texts {
            guard let routes = byText[text], let pattern = routes.first?.pattern else { continue }
            let place = Place(pattern, routes)
            if pattern.isFixed { fixed[text] = place } else { patterns.append(place) }
        }
    }

    /// Throws 404 `route_not_found`, 405 `method_not_allowed` with `Allow`, and 400 `invalid_path` for a path that is not
    /// percent-encoded UTF-8.
    ///
    /// - Parameter path: as sent, without the query; one slash at its end is ignored
    func match(_ method: HTTPRequest.Method, path: String) throws(HTTPFailure) -> RouteMatch {
        if let place = fixed[path] { return try match(method, place, path, PathParameters()) }
        let decoded = try Self.decoded(path)
        guard let (place, parameters) = find(decoded) else { throw notFound(method, decoded) }
        return try match(method, place, decoded, parameters)
    }

    /// The methods of the path, as `Allow` has them; nil if there is no such route.
    func allow(path: String) -> String? {
        do throws(HTTPFailure) {
            return try find(Self.decoded(path))?.place.allow
        } catch {
            return nil
        }
    }

    /// Whether a path is a route, and has this method.
    ///
    /// - Parameter path: decoded
    func has(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        let wanted = method == .head ? .get : method
        return find(path)?.place.routes.contains { $0.method == wanted } ?? false
    }

    /// Whether a path is a route without placeholders.
    func isFixed(_ path: String) -> Bool { fixed[path] != nil }

    /// The routes without placeholders that hints may name, sorted.
    var offeredPaths: [String] { fixed.filter { $0.value.routes.contains(where: \.isOffered) }.keys.sorted() }

    private func find(_ path: String) -> (place: Place, parameters: PathParameters)? {
        if let place = fixed[path] { return (place, PathParameters()) }
        for place in patterns {
            // All routes of one place know the same paths.
            if let parameters = place.pattern.match(path), place.routes.first?.handler(path) != nil {
                return (place, parameters)
            }
        }
        return nil
    }

    private static func decoded(_ path: String) throws(HTTPFailure) -> String {
        let end = path.utf8.last == UInt8(ascii: "/") ? path.utf8.dropLast() : path.utf8[...]
        guard let decoded = PercentEncoding.decode(Substring(end)) else {
            throw .badRequest(
                "invalid_path", "The path must be UTF-8. Write a % as %25, and other bytes as % and two hex digits.")
        }
        return decoded
    }

    private func match(
        _ method: HTTPRequest.Method, _ place: Place, _ path: String, _ parameters: PathParameters
    ) throws(HTTPFailure) -> RouteMatch {
        let wanted = method == .head ? .get : method
        if let match = place.matches.first(where: { $0.route.method == wanted }) { return match }
        guard let route = place.routes.first(where: { $0.method == wanted }), let handler = route.handler(path) else {
            // A path that fits a placeholder may be another route with something before it.
            let hint = place.pattern.isFixed ? nil : RouteHint(method, path, in: self).meant
            throw HTTPFailure(
                .methodNotAllowed, code: "method_not_allowed",
                "This route takes \(place.allow), and no other method."
                    + (hint.map { " Did you mean \(QuotedText.plain($0, atMost: 120))?" } ?? ""),
                headers: [.allow: place.allow])
        }
        return RouteMatch(route: route, handler: handler, path: path, parameters: parameters)
    }

    private func notFound(_ method: HTTPRequest.Method, _ path: String) -> HTTPFailure {
        .notFound("route_not_found", "There is no such route. " + RouteHint(method, path, in: self).text)
    }
}
