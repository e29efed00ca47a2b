/// A key's record or tombstone.
struct KeySlot: RecordSlot, Sendable {
    let revision: Int64
    let record: KeyRecord?
    /// The record's `models`, ready to be matched; nil: all.
    let patterns: ModelPatterns?

    init(revision: Int64, record: KeyRecord?) {
        self.revision = revision
        self.record = record
        patterns = record?.models.map { ModelPatterns($0) }
    }
}

extension Catalog {
    /// Keys that have not been revoked, also expired ones, by name and then by id.
    public var keys: [KeyRecord] {
        keySlots.values.compactMap(\.record).sorted { left, right in
            if !ByteOrder.same(left.name, right.name) { return ByteOrder.precedes(left.name, right.name) }
            return ByteOrder.precedes(left.id, right.id)
        }
    }

    public func key(id: String) -> KeyRecord? { keySlots[id]?.record }

    /// The key whose SHA-256 in hex is `digest`, and the models that it is for (nil: all); nil where there is none or it
    /// has been revoked. Whether it has expired is for the caller to say, who has a clock.
    public func key(digest: String) -> (record: KeyRecord, models: ModelPatterns?)? {
        guard let slot = keyOfDigest[digest].flatMap({ keySlots[$0] }), let record = slot.record else { return nil }
        return (record, slot.patterns)
    }

    mutating func applyKey(_ change: RegistryChange, _ effects: inout EffectLog) {
        let held = keySlots[change.id]
        guard held?.isSuperseded(by: change.key, revision: change.revision) ?? true else { return }
        setKey(change.id, KeySlot(revision: change.revision, record: change.key))
        if held?.record != nil || change.key != nil { effects.note(.keyChanged(id: change.id)) }
    }

    /// Forgets what a checkpoint does not list and would have to.
    mutating func dropKeys(excludedBy checkpoint: HeldCheckpoint, _ effects: inout EffectLog) {
        for (id, slot) in keySlots where checkpoint.excludes(.key, id, revision: slot.revision) {
            setKey(id, nil)
            if slot.record != nil { effects.note(.keyChanged(id: id)) }
        }
    }

    private mutating func setKey(_ id: String, _ slot: KeySlot?) {
        changes.noteKeys()
        if let digest = keySlots[id]?.record?.digest { keyOfDigest[digest] = nil }
        keySlots[id] = slot
        if let digest = slot?.record?.digest { keyOfDigest[digest] = id }
    }
}
