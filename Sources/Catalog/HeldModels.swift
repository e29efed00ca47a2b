/// The list of models held of an endpoint: one last-writer-wins register, keyed by (generation, tick).
///
/// Immutable, and an object so that "the same list as before" is one comparison of references.
final class HeldModels: Sendable {
    let generation: Int64
    let tick: Int64
    let digest: String?
    let entries: [ModelEntry]

    /// Of an id that is given twice the first counts.
    init(generation: Int64, tick: Int64, digest: String?, entries: [ModelEntry]) {
        self.generation = generation
        self.tick = tick
        self.digest = digest
        var seen = Set<ModelID>(minimumCapacity: entries.count)
        self.entries = entries.filter { seen.insert($0.id).inserted }
    }

    /// `entries` has no id twice.
    init(generation: Int64, tick: Int64, digest: String?, distinct entries: [ModelEntry]) {
        self.generation = generation
        self.tick = tick
        self.digest = digest
        self.entries = entries
    }

    /// Whether this one is to be kept rather than `held`.
    ///
    /// Two pollers may report one tick (a redelivered job): the digest, then the bytes of the entries decide, and
    /// nothing that a row that says it again does not carry, so that every order of arrival ends alike.
    func supersedes(_ held: HeldModels?) -> Bool {
        guard let held else { return true }
        if (generation, tick) != (held.generation, held.tick) {
            return (generation, tick) > (held.generation, held.tick)
        }
        if !ByteOrder.same(digest, held.digest) { return ByteOrder.precedes(held.digest ?? "", digest ?? "") }
        if entries.isIdentical(to: held.entries) { return false }
        return CanonicalBytes.precedes(held.entries, entries)
    }
}

extension [ModelEntry] {
    func isIdentical(to other: [ModelEntry]) -> Bool {
        elementsEqual(other) { $0.isIdentical(to: $1) }
    }
}

extension ModelEntry {
    /// Equal to the byte: `==` lets texts be equal that differ in Unicode normalisation.
    func isIdentical(to other: ModelEntry) -> Bool {
        self == other && ByteOrder.same(ownedBy, other.ownedBy) && ByteOrder.same(quantization, other.quantization)
            && ByteOrder.same(architecture, other.architecture)
            && ByteOrder.same(contentDigest, other.contentDigest) && ByteOrder.same(parent, other.parent)
    }
}
