/// The list of all live records at one revision of the registry.
public struct Checkpoint: Sendable, Hashable {
    /// UUID of the registry.
    public var registry: String
    public var incarnation: Int64
    public var revision: Int64
    /// Milliseconds since 1970.
    public var madeAt: Int64
    public var entries: [CheckpointEntry]

    public init(registry: String, incarnation: Int64, revision: Int64, madeAt: Int64, entries: [CheckpointEntry]) {
        self.registry = registry
        self.incarnation = incarnation
        self.revision = revision
        self.madeAt = madeAt
        self.entries = entries
    }

    /// This checkpoint as messages, at least one, each of at most 1 MB.
    ///
    /// The cut depends on the entries alone, so that parts of one revision that were made at different times, or
    /// said again by a scheduler, complete each other.
    public func parts() -> [CheckpointPart] {
        var chunks: [[CheckpointEntry]] = [[]]
        var size = 0
        for entry in entries.sorted() {
            // The entry's fixed text and numbers, and its id with room for escapes.
            let cost = 72 + 2 * entry.id.utf8.count
            if size + cost > 1_000_000 - 1000 {
                chunks.append([])
                size = 0
            }
            chunks[chunks.count - 1].append(entry)
            size += cost
        }
        return chunks.enumerated().map { number, chunk in
            CheckpointPart(
                registry: registry, incarnation: incarnation, revision: revision, part: number, parts: chunks.count,
                entries: chunk, madeAt: madeAt)
        }
    }

    /// See `parts()`.
    public static func parts(
        registry: String, incarnation: Int64, revision: Int64, entries: [CheckpointEntry], madeAt: Int64
    ) -> [CheckpointPart] {
        Checkpoint(
            registry: registry, incarnation: incarnation, revision: revision, madeAt: madeAt, entries: entries
        ).parts()
    }
}

/// Parts of checkpoints that are not all there yet.
struct CheckpointAssembly: Sendable {
    /// What orders checkpoints, and the number of parts that belong together.
    struct Key: Sendable, Hashable, Comparable {
        let incarnation: Int64
        let revision: Int64
        let registry: String
        let parts: Int

        init(_ part: CheckpointPart) {
            incarnation = part.incarnation
            revision = part.revision
            registry = part.registry
            parts = part.parts
        }

        static func < (left: Key, right: Key) -> Bool {
            (left.incarnation, left.revision, left.registry, left.parts)
                < (right.incarnation, right.revision, right.registry, right.parts)
        }
    }

    private var pending: [Key: [Int: CheckpointPart]] = [:]

    /// The whole checkpoint once this was its last missing part.
    mutating func add(_ part: CheckpointPart) -> Checkpoint? {
        let key = Key(part)
        pending[key, default: [:]][part.part] = part
        guard let found = pending[key], found.count == part.parts else { return nil }
        pending[key] = nil
        return Checkpoint(
            registry: part.registry, incarnation: part.incarnation, revision: part.revision,
            madeAt: found.values.reduce(0) { max($0, $1.madeAt) }, entries: found.values.flatMap(\.entries))
    }

    /// All parts that are held, in a fixed order.
    var parts: [CheckpointPart] {
        pending.sorted { $0.key < $1.key }.flatMap { _, parts in
            parts.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// Lets go of what can no longer become the highest.
    mutating func drop(upTo key: Key) {
        pending = pending.filter { $0.key > key }
    }
}

/// The checkpoint that counts, ready for look-ups.
struct HeldCheckpoint: Sendable {
    let key: CheckpointAssembly.Key
    let registry: String
    let incarnation: Int64
    let revision: Int64
    var madeAt: Int64
    /// Revision of each live record, by its kind and id.
    private let live: [RecordKind: [String: Int64]]

    init(_ checkpoint: Checkpoint, key: CheckpointAssembly.Key) {
        self.key = key
        registry = checkpoint.registry
        incarnation = checkpoint.incarnation
        revision = checkpoint.revision
        madeAt = checkpoint.madeAt
        live = Dictionary(grouping: checkpoint.entries, by: \.kind).mapValues { entries in
            Dictionary(entries.map { ($0.id, $0.revision) }, uniquingKeysWith: max)
        }
    }

    /// Also those of a later release.
    var kinds: Dictionary<RecordKind, [String: Int64]>.Keys { live.keys }

    func revisions(of kind: RecordKind) -> [String: Int64] { live[kind] ?? [:] }

    func lists(_ kind: RecordKind, _ id: String) -> Bool { live[kind]?[id] != nil }

    /// Everything at or below the checkpoint's revision that it does not list is gone.
    func excludes(_ kind: RecordKind, _ id: String, revision: Int64) -> Bool {
        revision <= self.revision && !lists(kind, id)
    }

    var parts: [CheckpointPart] {
        Checkpoint.parts(
            registry: registry, incarnation: incarnation, revision: revision,
            entries: live.flatMap { kind, records in
                records.map { CheckpointEntry(kind: kind, id: $0.key, revision: $0.value) }
            },
            madeAt: madeAt)
    }
}
