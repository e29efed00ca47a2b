/// All that is held under one endpoint id: its record or tombstone, and the two registers of its snapshot.
struct EndpointSlot: RecordSlot, Sendable {
    let id: String
    var revision: Int64 = 0
    var record: EndpointRecord?
    /// Newest row, without its models.
    var health: SnapshotRow?
    var models: HeldModels?

    var isTombstone: Bool { revision > 0 && record == nil }
    var isEmpty: Bool { revision == 0 && health == nil && models == nil }

    /// The newest row is of the record's generation: the endpoint is `pending` otherwise.
    var isHealthVisible: Bool {
        guard let generation = record?.generation else { return false }
        return health?.generation == generation
    }

    var visibleHealth: SnapshotRow? { isHealthVisible ? health : nil }

    var visibleModels: HeldModels? {
        guard isHealthVisible, models?.generation == record?.generation else { return nil }
        return models
    }

    var lacksList: Bool { isHealthVisible && health?.digest != nil && models?.generation != record?.generation }

    /// Online or degraded: its models are in the list.
    var isUsable: Bool { isHealthVisible && health?.state.isUsable == true }

    var view: EndpointView? {
        guard let record else { return nil }
        let snapshot = visibleHealth.map { health in
            let models = visibleModels
            return EndpointSnapshot(
                health: health, modelsTick: models?.tick ?? 0, digest: models?.digest, models: models?.entries ?? [])
        }
        return EndpointView(record: record, snapshot: snapshot)
    }

    /// Lets go of rows that can never become visible: those of an older generation than `generation`.
    mutating func dropRows(olderThan generation: Int64) {
        if let row = health, row.generation < generation { health = nil }
        if let held = models, held.generation < generation { models = nil }
    }
}

extension EndpointState {
    /// Requests can be sent there.
    var isUsable: Bool { self == .online || self == .degraded }
}

extension SnapshotRow {
    /// The row as the health register keeps it.
    var withoutModels: SnapshotRow {
        var row = self
        row.models = nil
        row.modelsTick = nil
        return row
    }

    /// Whether this health is to be kept rather than `held`; neither carries models.
    ///
    /// One tick may be reported by two pollers (a redelivered job): then the greater poller id, then the bytes decide.
    func supersedes(_ held: SnapshotRow?) -> Bool {
        guard let held else { return true }
        if (generation, tick) != (held.generation, held.tick) {
            return (generation, tick) > (held.generation, held.tick)
        }
        if !ByteOrder.same(poller, held.poller) { return ByteOrder.precedes(held.poller, poller) }
        if self == held, ByteOrder.same(error?.code, held.error?.code),
            ByteOrder.same(error?.message, held.error?.message)
        {
            return false
        }
        return CanonicalBytes.precedes(held, self)
    }
}
