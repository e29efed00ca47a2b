/// Finds the URL of a route of an endpoint's API from the endpoint's base URL.
public enum APIRoot {
    /// Whether the base URL is the root of the API itself, because it names a version: `/api/paas/v4`, `/v1beta/openai`.
    /// The routes of such an API follow without `/v1`.
    public static func isVersioned(_ baseURL: String) -> Bool {
        let segments = baseURL.split(separator: "/")
        guard let last = segments.last, segments.count > 2 else { return false }
        if isVersion(last) { return last.lowercased() != "v1" }
        return last == "openai" && segments.count > 3 && isVersion(segments[segments.count - 2])
    }

    /// The URL of a route below the base URL.
    ///
    /// - Parameter route: as a base URL without a version has it, with `/v1` for the routes of OpenAI's API
    public static func url(_ route: String, below baseURL: String) -> String {
        guard route.hasPrefix(version + "/"), isVersioned(baseURL) else { return baseURL + route }
        return baseURL + route.dropFirst(version.count)
    }

    /// Stands before the routes of OpenAI's API.
    public static let version = "/v1"

    /// `v3`, `v1beta`, `v1alpha2`.
    private static func isVersion(_ segment: Substring) -> Bool {
        let text = segment.lowercased()
        guard text.first == "v" else { return false }
        let rest = text.dropFirst().drop { $0.isASCII && $0.isNumber }
        guard rest.count < text.count - 1 else { return false }
        let stage = rest.prefix { !$0.isNumber }
        return ["", "alpha", "beta"].contains(stage) && rest.dropFirst(stage.count).allSatisfy(\.isNumber)
    }
}
