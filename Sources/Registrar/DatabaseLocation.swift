import FoundationEssentials

/// Where the registry's database is, parsed from `ROLLCALL_DATABASE_URL`.
struct DatabaseLocation: Sendable, Hashable {
    /// Absolute, or relative to the working folder.
    let path: String

    /// Of the file.
    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What a value may be, for error messages.
    static let allowed = "sqlite:PATH, for example sqlite:rollcall.sqlite or sqlite:/var/lib/rollcall/registry.sqlite"

    /// Parses `sqlite:PATH`; `sqlite:///PATH` is the same as `sqlite:/PATH`.
    ///
    /// - Throws: `DatabaseLocationError` that says what is wrong with `url`. A database in memory is refused: what it
    ///   confirmed would be forgotten with the process.
    init(_ url: String) throws(DatabaseLocationError) {
        guard url.hasPrefix("sqlite:") else {
            throw DatabaseLocationError(reason: "it does not begin with sqlite:")
        }
        var path = String(url.dropFirst("sqlite:".count))
        if path.hasPrefix("//") {
            guard path.hasPrefix("///") else {
                throw DatabaseLocationError(reason: "sqlite:// names a host, but a database is a file on this one")
            }
            path.removeFirst(2)
        }
        guard !path.isEmpty else { throw DatabaseLocationError(reason: "the path is missing") }
        guard path != ":memory:" else {
            throw DatabaseLocationError(reason: "a registry in memory would forget what it has confirmed")
        }
        guard !path.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw DatabaseLocationError(
                reason: "a path with ? or # is taken for a URL with options, and there are none")
        }
        guard !path.hasSuffix("/") else { throw DatabaseLocationError(reason: "the path is a folder's") }
        self.path = path
    }
}

/// Why a `ROLLCALL_DATABASE_URL` cannot be used.
struct DatabaseLocationError: Error, Hashable, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
