/// What a client most likely meant by a path that is no route. Most such paths come of a base URL with one `/v1` too few
/// or too many.
enum RouteHint {
    /// - Parameter isRoute: whether a path is one
    static func text(for path: String, isRoute: (String) -> Bool) -> String {
        let ollamaBase = "The base URL for Ollama's clients is this gateway's address without a path"
        if let route = ollamaRoute(meantBy: path, isRoute) { return "Did you mean \(route)? \(ollamaBase)." }
        if path.hasPrefix("/api/") {
            return "Of Ollama's API there are /api/version, /api/tags, /api/ps, /api/show, /api/chat, /api/generate, "
                + "/api/embed, and /api/embeddings. \(ollamaBase)."
        }
        let base = "The base URL for OpenAI's clients is this gateway's address with one /v1 at its end"
        if let route = meant(by: path, isRoute) { return "Did you mean \(route)? \(base)." }
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

    /// The route of Ollama's API that the path ends with, as in `/v1/api/tags`.
    private static func ollamaRoute(meantBy path: String, _ isRoute: (String) -> Bool) -> String? {
        let segments = path.split(separator: "/")
        guard (2...8).contains(segments.count), let start = segments.lastIndex(of: "api") else { return nil }
        let route = "/" + segments[start...].joined(separator: "/")
        return route != path && isRoute(route) ? route : nil
    }
}
