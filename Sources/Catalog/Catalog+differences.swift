extension Catalog {
    /// The effects that lead from `old` to this.
    func differences(from old: Catalog) -> [CatalogEffect] {
        var effects: [CatalogEffect] = []
        let ids = Set(slots.lazy.filter { $0.record != nil }.map(\.id))
            .union(old.slots.lazy.filter { $0.record != nil }.map(\.id))
        for id in ids.sorted() {
            let new = endpoint(id: id)
            let old = old.endpoint(id: id)
            if new?.record != old?.record { effects.append(.endpointRecordChanged(id: id)) }
            if let snapshot = new?.snapshot, snapshot != old?.snapshot { effects.append(.snapshotApplied(id: id)) }
        }
        if let version { effects.append(.checkpoint(version)) }
        return effects + [.modelsChanged]
    }
}
