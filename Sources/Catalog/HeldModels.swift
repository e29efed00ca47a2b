/// The list of models held of an endpoint: one last-writer-wins register, keyed by (generation, tick).
///
/// Immutable, and an object so that "the same list as before" is one comparison of references.
final class HeldModels: Sendable {
    let generation: Int64
    let tick: Int64
    let digest: String?
    let models: [SharedModel]
    private let firstSeen: FirstSeen

    /// Seconds since 1970 at which the endpoint was first seen with its models.
    enum FirstSeen: Sendable {
        case all(Int64)
        case each([Int64])
    }

    /// Of an id that is given twice the first counts.
    ///
    /// - Parameter shared: the object for an entry: one that is held already, or a new one
    init(
        generation: Int64, tick: Int64, digest: String?, entries: [ModelEntry],
        shared: (ModelEntry) -> SharedModel = SharedModel.init
    ) {
        self.generation = generation
        self.tick = tick
        self.digest = digest
        var seen = Set<ModelID>(minimumCapacity: entries.count)
        let distinct = entries.filter { seen.insert($0.id).inserted }
        models = distinct.map(shared)
        let first = distinct.first?.firstSeen ?? 0
        firstSeen = distinct.allSatisfy { $0.firstSeen == first } ? .all(first) : .each(distinct.map(\.firstSeen))
    }

    /// `models` has no id twice, and `firstSeen` as many times.
    init(generation: Int64, tick: Int64, digest: String?, distinct models: [SharedModel], firstSeen: FirstSeen) {
        self.generation = generation
        self.tick = tick
        self.digest = digest
        self.models = models
        self.firstSeen = firstSeen
    }

    func firstSeen(at place: Int) -> Int64 {
        switch firstSeen {
        case .all(let time): time
        case .each(let times): times[place]
        }
    }

    /// As the endpoint reported them; made anew with each call.
    var entries: [ModelEntry] {
        models.enumerated().map { place, model in
            var entry = model.entry
            entry.firstSeen = firstSeen(at: place)
            return entry
        }
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

/// What endpoints say of a model. Endpoints that say the same hold one object, because a fleet has the same models on many
/// endpoints. When an endpoint was first seen with it is no part of it.
final class SharedModel: Sendable {
    /// Its `firstSeen` is 0.
    let entry: ModelEntry

    init(_ entry: ModelEntry) { self.entry = entry.withoutFirstSeen }

    func says(_ entry: ModelEntry) -> Bool { self.entry.isIdentical(to: entry.withoutFirstSeen) }

    func says(the other: SharedModel) -> Bool { self === other || entry.isIdentical(to: other.entry) }
}

extension [ModelEntry] {
    func isIdentical(to other: [ModelEntry]) -> Bool {
        elementsEqual(other) { $0.isIdentical(to: $1) }
    }
}

extension ModelEntry {
    fileprivate var withoutFirstSeen: ModelEntry {
        var entry = self
        entry.firstSeen = 0
        return entry
    }

    /// Equal to the byte: `==` lets texts be equal that differ in Unicode normalisation.
    func isIdentical(to other: ModelEntry) -> Bool {
        self == other && ByteOrder.same(ownedBy, other.ownedBy) && ByteOrder.same(quantization, other.quantization)
            && ByteOrder.same(architecture, other.architecture)
            && ByteOrder.same(contentDigest, other.contentDigest) && ByteOrder.same(parent, other.parent)
    }
}
