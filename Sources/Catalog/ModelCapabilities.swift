/// What a model can do beside text, as far as an endpoint says it.
///
/// Coded as an array of names. A name that this release does not know is left out.
public struct ModelCapabilities: OptionSet, Sendable, Hashable, Codable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let vision = ModelCapabilities(rawValue: 1)
    public static let tools = ModelCapabilities(rawValue: 2)
    public static let embeddings = ModelCapabilities(rawValue: 4)
    public static let rerank = ModelCapabilities(rawValue: 8)
    public static let audio = ModelCapabilities(rawValue: 16)

    /// In the order in which clients see them.
    private static let named: [(name: String, capability: ModelCapabilities)] = [
        ("vision", .vision), ("tools", .tools), ("embeddings", .embeddings), ("rerank", .rerank), ("audio", .audio),
    ]

    public var names: [String] { Self.named.filter { contains($0.capability) }.map(\.name) }

    public init(names: some Sequence<String>) {
        self = names.reduce(into: []) { found, name in
            if let known = Self.named.first(where: { $0.name == name }) { found.insert(known.capability) }
        }
    }

    public init(from decoder: any Decoder) throws {
        self.init(names: try decoder.singleValueContainer().decode([String].self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(names)
    }
}
