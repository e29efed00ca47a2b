/// What paths of files in a repository may be, whoever names them: the request, the Hub, or an index that is a file of
/// the repository. Nodes make files of them.
enum HubPath {
    static let maximumLength = 1024

    /// Relative, without `.`, `..`, and empty parts, backslashes, and control characters; 1 to 1,024 bytes.
    static func isSafe(_ path: String) -> Bool {
        guard (1...maximumLength).contains(path.utf8.count) else { return false }
        guard !path.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 < 0x20 || $0 == 0x7F }) else { return false }
        // U+0080 to U+009F, the other control characters, are two bytes.
        guard !path.unicodeScalars.contains(where: { (0x80..<0xA0).contains($0.value) }) else { return false }
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
        }
    }

    /// Whether people could take the text for another one: characters that show nothing or turn the direction of
    /// writing. Such a name is not asked for on purpose.
    static func isDeceptive(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
            default: false
            }
        }
    }

    /// The last part.
    static func name(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// All before the last part, with its slash; empty at the root.
    static func folder(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
    }
}
