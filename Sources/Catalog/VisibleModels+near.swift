import Conventions

/// The models that somebody may have meant who asked for one that is not there.
public struct NearModels: Sendable {
    /// The nearest first.
    public let models: [ListedModel]
    /// How many ids were looked at to find them.
    public let comparisons: Int
}

extension VisibleModels {
    /// At most so many models are compared in whole. Anybody can ask for names that are not there, and a fleet may have
    /// tens of thousands of models.
    static let nearComparisons = 128

    /// The models whose ids are nearest to `id`: with other letter case, another organisation, another tag or
    /// quantization, or a few letters mistyped. If there are more than 128 models, those are looked at whose names begin
    /// almost as `id`'s does.
    public func near(_ id: String, count: Int) -> NearModels {
        var search = NearSearch(id)
        if models.count <= Self.nearComparisons {
            for model in byName { search.look(at: model) }
        } else {
            lookAround(&search)
        }
        return NearModels(models: search.nearest(count), comparisons: search.comparisons)
    }

    private func lookAround(_ search: inout NearSearch) {
        // Names that differ in a late letter stand on either side, and those that go on behind the name follow it.
        let place = place(of: search.name, &search)
        for model in byName[max(0, place - 24)..<min(byName.count, place + 40)] { search.look(at: model) }
        // Names that are the beginning of the one asked for may stand far before it, and so may the tag among many others.
        for name in [search.name + NearSearch.latest] + search.beginnings {
            let place = self.place(of: name, &search)
            for model in byName[place..<min(byName.count, place + 8)] { search.look(at: model) }
        }
    }

    private func place(of name: [UInt8], _ search: inout NearSearch) -> Int {
        byName.firstIndex(inOrder: { model in
            search.comparisons += 1
            return ModelName.compare(model.id, with: name) >= 0
        })
    }
}

/// Ranks models by how near their ids are to one that was asked for.
private struct NearSearch {
    /// Longer names are compared by their first bytes.
    private static let maximumBytes = 128
    /// The tag that Ollama adds to a name without one.
    static let latest = Array(":latest".utf8)

    /// The last part of the id, in lower case.
    let name: [UInt8]
    private let whole: [UInt8]
    private var found: [(rank: Int, distance: Int, model: ListedModel)] = []
    private var seen = Set<ObjectIdentifier>()
    var comparisons = 0

    init(_ id: String) {
        name = ModelName.folded(id, atMost: Self.maximumBytes)
        whole = Self.folded(id)
    }

    /// The name without what stands behind its last marks, four times at most: `qwen3-8b` and `qwen3` of `qwen3-8b-q4`.
    var beginnings: [[UInt8]] {
        let ends = name.indices.filter { $0 >= 3 && !name[$0].isWord }
        return ends.suffix(4).reversed().map { Array(name[..<$0]) }
    }

    func nearest(_ count: Int) -> [ListedModel] {
        let sorted = found.sorted { left, right in
            if left.rank != right.rank { return left.rank < right.rank }
            return left.distance == right.distance ? left.model.id < right.model.id : left.distance < right.distance
        }
        return sorted.prefix(count).map(\.model)
    }

    mutating func look(at model: ListedModel) {
        guard seen.insert(ObjectIdentifier(model)).inserted else { return }
        comparisons += 1
        if let (rank, distance) = nearness(of: model.id.value) { found.append((rank, distance, model)) }
    }

    private func nearness(of id: String) -> (rank: Int, distance: Int)? {
        if id.utf8.count == whole.count + Self.latest.count, Self.folded(id) == whole + Self.latest { return (0, 0) }
        if id.utf8.count == whole.count, Self.folded(id) == whole { return (1, 0) }
        let other = ModelName.folded(id, atMost: Self.maximumBytes)
        if other == name { return (2, 0) }
        let shared = zip(name, other).prefix { $0 == $1 }.count
        let rest = max(name.count, other.count) - shared
        let longer = name.count > other.count ? name : other
        // One goes on where the other ends, with a tag, a quantization, or the ending of a file.
        if shared >= 2, shared == min(name.count, other.count), !longer[shared].isWord { return (3, rest) }
        // One letter of a name as short as phi3 or m1, up to three of a long one.
        let shorter = min(name.count, other.count)
        let mistakes = shorter < 2 ? 0 : min(3, max(1, shorter / 4))
        if mistakes > 0, let distance = EditDistance.between(name, other, atMost: mistakes) { return (4, distance) }
        let beginning = name[..<shared].lastIndex { !$0.isWord } ?? 0
        return beginning >= 4 && beginning * 2 >= name.count ? (5, rest) : nil
    }

    private static func folded(_ id: String) -> [UInt8] {
        id.utf8.prefix(4 * maximumBytes).map(ASCIIFolding.lowercased)
    }
}

extension UInt8 {
    /// A letter or digit, or a byte of a character beyond ASCII.
    fileprivate var isWord: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: true
        default: false
        }
    }
}
