/// A model's id, exactly as an endpoint reported it.
///
/// Compared, hashed, and sorted by its UTF-8 bytes: `String` equality follows Unicode normalisation and would make
/// one model of two that a server tells apart.
public struct ModelID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    public let value: String

    public init(_ value: String) { self.value = value }

    public init(from decoder: any Decoder) throws {
        value = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    public static func == (left: ModelID, right: ModelID) -> Bool {
        ByteOrder.same(left.value, right.value)
    }

    public static func < (left: ModelID, right: ModelID) -> Bool {
        ByteOrder.precedes(left.value, right.value)
    }

    public func hash(into hasher: inout Hasher) {
        var copy = value
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    public var description: String { value }
}
