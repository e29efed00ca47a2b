/// One name out of a set that a later release may enlarge. A name that this release does not know is kept as it was
/// read: what holds it can still be decoded, shown, and written again.
public protocol OpenName: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible, CaseIterable
where RawValue == String, AllCases == [Self] {
    init(rawValue: String)
}

extension OpenName {
    /// nil for a name that this release does not know: what a client sends has to be known.
    public init?(known name: String) {
        self.init(rawValue: name)
        guard Self.allCases.contains(self) else { return nil }
    }

    public var description: String { rawValue }
}
