import Conventions
import Crypto

/// A catalog as text, so that a process that starts needs to read only what was written after it.
///
/// The text consists of lines, and each line is a JSON array whose first element says what it holds. Two processes that
/// have applied the same messages write the same bytes. Each distinct model, and each distinct list of models, stands in it
/// once; `first_seen` stands beside an endpoint's reference to its list.
public struct CatalogImage: Sendable {
    /// What the lines hold. Raise it with each change of them, and whenever a record gets a field: a process of this release
    /// would otherwise start from an image in which a process of the release before left out that field. A process starts
    /// only from images of its own version, and reads the whole catalog stream if there are none.
    public static let version: Int64 = 2
    /// Bytes of a part.
    static let partLimit = 4_000_000

    /// All messages up to this one have been applied.
    public let position: LogPosition
    /// The SHA-256 of all lines but the last, in hex.
    public let id: String
    /// The last line of the last part names the number of parts and `id`.
    public let parts: [[UInt8]]

    /// Bytes.
    public var size: Int { parts.reduce(0) { $0 + $1.count } }

    public init(of source: ImageSource, at position: LogPosition) throws {
        try self.init(of: source, at: position, partLimit: Self.partLimit)
    }

    init(of source: ImageSource, at position: LogPosition, partLimit: Int) throws {
        self.position = position
        var encoder = ImageEncoder(partLimit: partLimit)
        var parts = try encoder.encode(source, at: position)
        id = Self.digest(of: parts)
        parts[parts.count - 1] += Array("[\"end\",\(parts.count),\"\(id)\"]\n".utf8)
        self.parts = parts
    }

    /// What an image holds.
    struct Content: Sendable {
        var catalog: Catalog
        var position: LogPosition
        /// Bytes.
        var size: Int
    }

    /// Reads an image from all of its parts, in order. Throws `BrokenImage` if the text is not what its digest says, or is not
    /// understood.
    static func content(of parts: [[UInt8]]) throws -> Content {
        let end = try end(of: parts)
        guard end.parts == parts.count else { throw BrokenImage(reason: "the number of parts is not the one it names") }
        var lines = parts
        lines[lines.count - 1].removeSubrange(end.start...)
        guard digest(of: lines) == end.digest else { throw BrokenImage(reason: "its digest is not the one it names") }
        var decoder = ImageDecoder()
        for part in lines { try decoder.read(part) }
        let (source, position) = try decoder.finished()
        return Content(
            catalog: Catalog(source, appliedOffset: position.offset), position: position,
            size: parts.reduce(0) { $0 + $1.count })
    }

    private static func end(of parts: [[UInt8]]) throws -> (start: Int, parts: Int, digest: String) {
        guard let last = parts.last, last.last == UInt8(ascii: "\n") else {
            throw BrokenImage(reason: "its last part has no end")
        }
        let start = last.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return try last[start...].withUnsafeBytes { line in
            var reader = ImageLineReader(line)
            guard try reader.begin() == "end" else { throw BrokenImage(reason: "its last part has no end") }
            let end = (start, Int(try reader.integer()), try reader.text())
            try reader.endLine()
            return end
        }
    }

    private static func digest(of parts: [[UInt8]]) -> String {
        var hash = SHA256()
        for part in parts { hash.update(data: part) }
        return hash.finalize().hexadecimal
    }
}
