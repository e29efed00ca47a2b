/// The query of a request: names may be given more than once.
struct Query: Sendable {
    private let items: [(name: String, value: String)]

    /// Throws 400 `invalid_query` for a bad percent-encoding.
    init(_ text: String?) throws(HTTPFailure) {
        var items: [(name: String, value: String)] = []
        for part in (text ?? "").split(separator: "&") {
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard
                let name = PercentEncoding.decode(pieces[0], plusIsSpace: true),
                let value = PercentEncoding.decode(pieces.count > 1 ? pieces[1] : "", plusIsSpace: true)
            else {
                throw .badRequest(
                    "invalid_query",
                    "The query must be UTF-8. Write a % as %25, and other bytes as % and two hex digits.")
            }
            items.append((name, value))
        }
        self.items = items
    }

    /// The first value that is not empty.
    func first(_ name: String) -> String? { all(name).first }

    /// All values that are not empty.
    func all(_ name: String) -> [String] {
        items.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }
}
