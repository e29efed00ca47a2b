import Catalog
import Conventions
import HTTPTypes

/// What a client most likely meant by a request that has no route. Most such requests come of a base URL with one `/v1` too
/// few or too many, or of one that is another product's.
struct RouteHint {
    private let method: HTTPRequest.Method
    private let path: String
    private let segments: [Substring]
    private let routes: RouteTable

    /// - Parameter path: decoded
    init(_ method: HTTPRequest.Method, _ path: String, in routes: RouteTable) {
        self.method = method
        self.path = path
        // No route has more segments, and what is longer is no mistake of a person.
        segments = path.utf8.count <= 512 ? path.split(separator: "/") : []
        self.routes = routes
    }

    /// For a path that is no route.
    var text: String {
        if let route = meant { return "Did you mean \(Self.shown(route))? \(advice(route))" }
        let words = segments.map { $0.lowercased() }
        if path.utf8.allSatisfy({ $0 == UInt8(ascii: "/") }) { return "This is a gateway of Rollcall. \(Self.base)" }
        if words == ["v1"] {
            return
                "This is the base URL for OpenAI's clients, which add a route to it. GET /v1/models lists the models."
        }
        if words.count == 1, Self.descriptions.contains(words[0]) {
            return "This gateway serves no API description. \(Self.base)"
        }
        if ErrorBody.Shape.isOllamas(path) {
            return "Of Ollama's API there are /api/version, /api/tags, /api/ps, /api/show, /api/chat, /api/generate, "
                + "/api/embed, and /api/embeddings. \(Self.ollamaBase)"
        }
        return Self.base
    }

    /// The route that was meant; nil if none comes near.
    var meant: String? {
        guard (1...16).contains(segments.count) else { return nil }
        return probe ?? ending { routes.has(method, $0) } ?? ending { routes.isFixed($0) } ?? almost
    }

    private static let base =
        "The base URL for OpenAI's clients is this gateway's address with /v1 behind it. GET /v1/models lists the models."
    private static let ollamaBase = "The base URL for Ollama's clients is this gateway's address without a path."
    private static let descriptions: Set = ["docs", "redoc", "swagger", "openapi.json", "openapi.yaml", "swagger.json"]

    private func advice(_ route: String) -> String {
        if route.hasPrefix("/api/") { return Self.ollamaBase }
        if segments.contains("deployments") {
            return "The model's name goes into the field \"model\" of the body, and not into the path. \(Self.base)"
        }
        return Self.base
    }

    // MARK: Probes

    private static let probes = [
        "health": "/healthz", "healthz": "/healthz", "healthcheck": "/healthz", "live": "/healthz", "livez": "/healthz",
        "liveness": "/healthz", "alive": "/healthz", "ping": "/healthz", "ready": "/readyz", "readyz": "/readyz",
        "readiness": "/readyz",
    ]

    /// What load balancers and other products call the gateway's own probes.
    private var probe: String? {
        guard segments.count <= 2, let last = segments.last else { return nil }
        return Self.probes[last.lowercased()].flatMap { routes.has(method, $0) ? $0 : nil }
    }

    // MARK: Other bases

    /// The route that the path ends with, as in `/openai/v1/models`, or becomes with a version before it, as `/models`.
    private func ending(where isWanted: (String) -> Bool) -> String? {
        for start in segments.indices {
            let rest = segments[start...].joined(separator: "/")
            // A path of this gateway's own version is taken for a mistaken word, and not for another version's model.
            let isOwn = start == 1 && segments[0] == "v0"
            for candidate in ["/v1/" + rest, "/v0/" + rest, "/" + rest]
            where candidate != path && isWanted(candidate) && (!isOwn || routes.isFixed(candidate)) {
                return candidate
            }
        }
        return nil
    }

    // MARK: Almost a route

    /// The route from which the path differs by a few letters, or of which it is the beginning.
    private var almost: String? {
        let words = segments.map { $0.lowercased() }
        let whole = "/" + words.joined(separator: "/")
        let fixed = routes.offeredPaths
        if fixed.contains(whole) { return whole }
        let longer = fixed.filter { $0.hasPrefix(whole + "/") && routes.has(method, $0) }
        if longer.count == 1, segments.count > 1 { return longer[0] }
        let isUsual = { routes.has(method, $0) }
        return nearest(to: whole, among: fixed.filter(isUsual)) ?? nearest(to: whole, among: fixed)
    }

    private func nearest(to path: String, among candidates: [String]) -> String? {
        let bytes = Array(path.utf8)
        let limit = min(3, bytes.count / 4)
        guard limit > 0, bytes.count <= 64 else { return nil }
        let near = candidates.compactMap { candidate in
            EditDistance.between(bytes, Array(candidate.utf8), atMost: limit).map { (distance: $0, route: candidate) }
        }
        return near.min { $0 < $1 }?.route
    }

    /// A route may hold what the client sent.
    private static func shown(_ route: String) -> String { QuotedText.plain(route, atMost: 120) }
}
