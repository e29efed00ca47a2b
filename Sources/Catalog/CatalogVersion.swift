/// How far a catalog has been applied, and of which registry's reckoning: `<incarnation>-<offset>`.
///
/// Two catalogs of one version have applied the same messages. Compared by incarnation first: a stream that was made
/// anew counts its offsets from 0 again, under a higher incarnation.
public struct CatalogVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Of the checkpoint held.
    public var incarnation: Int64
    /// The highest stream offset that has been applied.
    public var offset: Int64

    public init(incarnation: Int64, offset: Int64) {
        self.incarnation = incarnation
        self.offset = offset
    }

    /// Parses `<incarnation>-<offset>`: two numbers in decimal digits, no sign; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let incarnation = Int64(parts[0]), let offset = Int64(parts[1])
        else { return nil }
        self.init(incarnation: incarnation, offset: offset)
    }

    public var description: String { "\(incarnation)-\(offset)" }

    public static func < (left: CatalogVersion, right: CatalogVersion) -> Bool {
        (left.incarnation, left.offset) < (right.incarnation, right.offset)
    }
}
