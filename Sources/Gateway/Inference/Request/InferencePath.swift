/// A route of inference. Its path is the endpoint's path as well.
struct InferencePath: Sendable, Hashable {
    let path: String
    /// Files are sent as forms; everything else is JSON.
    let takesForms: Bool

    private static let exact: Set<String> = [
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/rerank", "/v1/messages",
    ]

    /// nil for a path that is none. Below `/v1/audio/` and `/v1/images/` a path is plain words: nothing that the
    /// endpoint could resolve to another of its paths.
    init?(_ path: String) {
        if Self.exact.contains(path) {
            takesForms = false
        } else if ["/v1/audio/", "/v1/images/"].contains(where: { Self.isWords(path, below: $0) }) {
            takesForms = true
        } else {
            return nil
        }
        self.path = path
    }

    private static func isWords(_ path: String, below prefix: String) -> Bool {
        guard path.utf8.count <= 128, path.utf8.starts(with: prefix.utf8) else { return false }
        return path.utf8.dropFirst(prefix.utf8.count).split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
        )
        .allSatisfy { word in
            !word.isEmpty
                && word.allSatisfy {
                    ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D || $0 == 0x5F
                }
        }
    }
}
