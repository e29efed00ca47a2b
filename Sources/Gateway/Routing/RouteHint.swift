/// What a client most likely meant by a path that is no route. Most such paths come of a base URL with one `/v1` too few
/// or too many.
enum RouteHint {
    /// - Parameter isRoute: whether a path is one
    static func text(for path: String, isRoute: (String) -> Bool) -> String {
        let base = "The base URL for OpenAI's clients is this gateway's address with one /v1 at its end"
        if let route = meant(by: path, isRoute) { return "Did you mean \(route)? \(base)." }
        if isOllama(path) {
            return "Ollama's own API is not served here; GET /v1/models lists the models. \(base)."
        }
        return "\(base); GET /v1/models lists the models."
    }

    /// The route that the path ends with, as in `/openai/v1/models`, or becomes with `/v1` before it, as `/models` does.
    private static func meant(by path: String, _ isRoute: (String) -> Bool) -> String? {
        let segments = path.split(separator: "/")
        guard (1...8).contains(segments.count) else { return nil }
        let words = segments.lastIndex(of: "v1").map { segments[($0 + 1)...] } ?? segments[...]
        guard !words.isEmpty else { return nil }
        for start in [words.startIndex, segments.startIndex] {
            let route = "/v1/" + segments[start...].joined(separator: "/")
            if isRoute(route), route != path { return route }
        }
        return nil
    }

    private static func isOllama(_ path: String) -> Bool { path.hasPrefix("/api/") }
}
