extension BaseURL {
    /// The base URL of an endpoint, in the one form that the registry keeps: without the `/v1` that clients add.
    ///
    /// Refuses a URL that leads somewhere else than to the root of an API, and says which base was meant.
    init(endpoint text: String) throws(Problem) {
        guard !text.isEmpty else { throw Problem("is empty") }
        let hasScheme = Self.hasScheme(text)
        do throws(Problem) {
            self = try BaseURL(hasScheme ? text : "http://" + Self.withoutSlashes(text))
        } catch {
            throw hasScheme ? error : Self.noScheme()
        }
        guard !isWebPage else {
            throw Problem(
                "is the address of a web page. Give the address of an inference server, such as http://10.0.0.5:8000")
        }
        var root = self
        root.path = Self.withoutVersion(Self.withoutRoute(path))
        if isLoopback { root.port = port ?? (isTLS ? 443 : 80) }
        guard hasScheme else { throw Self.noScheme(root.text) }
        if Self.withoutRoute(path) != path { throw Problem("names a route of the API. Use \(root.text) instead") }
        if hasTail { throw Problem("has a query or a fragment. Use \(root.text) instead") }
        path = Self.withoutOneVersion(path)
        if path.hasSuffix("/v1") { throw Problem("ends in /v1 more than once. Use \(root.text) instead") }
        guard isLoopback else { return }
        // Inference servers have ports of their own. The registry keeps even the scheme's own port, so that the URL is
        // taken when it is checked again.
        guard hasPort else {
            throw Problem(
                "names this machine without a port. Add the port at which the server listens, or use \(root.text) instead"
            )
        }
        port = root.port
    }

    private static func noScheme(_ meant: String? = nil) -> Problem {
        Problem("must begin with http:// or https://" + (meant.map { ". Use \($0) instead" } ?? ""))
    }

    /// Also another scheme, which no prefix makes right.
    private static func hasScheme(_ text: String) -> Bool {
        text.firstRange(of: "://") != nil && !text.hasPrefix("://")
    }

    /// The text without an incomplete scheme, as `http:/host` and `//host` have one.
    private static func withoutSlashes(_ text: String) -> Substring {
        let scheme = ["http:/", "https:/"].first { text.lowercased().hasPrefix($0) } ?? ""
        return text.dropFirst(scheme.count).drop { $0 == "/" }
    }

    // MARK: Paths

    /// Routes of inference servers by which people copy an address, in lower case. A longer one stands before one that it
    /// ends with.
    private static let routes = [
        "/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/rerank", "/api/v0/models",
        "/models", "/api/tags", "/api/ps", "/api/show", "/api/version", "/api/chat", "/api/generate", "/api/embed",
        "/api/pull", "/health", "/healthz", "/metrics", "/docs", "/openapi.json", "/props",
    ]

    private static func withoutRoute(_ path: String) -> String {
        let lower = path.lowercased()
        return routes.first { lower.hasSuffix($0) }.map { trimmed(path.dropLast($0.count)) } ?? path
    }

    private static func withoutVersion(_ path: String) -> String {
        var path = path
        while path.lowercased().hasSuffix("/v1") { path = trimmed(path.dropLast(3)) }
        return path
    }

    private static func withoutOneVersion(_ path: String) -> String {
        path.hasSuffix("/v1") ? trimmed(path.dropLast(3)) : path
    }

    // MARK: Hosts

    private var isLoopback: Bool {
        host == "localhost" || host == "[::1]"
            || host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- 0x30 < 10 }
    }

    /// Pages from which people copy a model's address. APIs at the same hosts are none.
    private var isWebPage: Bool {
        let name = host.hasPrefix("www.") ? String(host.dropFirst(4)) : host
        switch name {
        case "huggingface.co", "hf.co", "github.com", "lmstudio.ai": return true
        case "ollama.com": return !["", "/v1", "/api"].contains { path == $0 || path.hasPrefix($0 + "/") && $0 != "" }
        default: return false
        }
    }
}
