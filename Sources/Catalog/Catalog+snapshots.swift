/// What polls found: two registers an endpoint, health and models, each with the newest (generation, tick).
extension Catalog {
    mutating func apply(_ row: SnapshotRow, _ effects: inout EffectLog) {
        highestTick = max(highestTick, row.tick)
        guard mayCount(row) else { return }
        let slot = slot(for: row.endpoint)
        let health = row.withoutModels
        let isNewHealth = health.supersedes(slots[slot].health)
        if isNewHealth {
            let isSameState = slots[slot].health?.state == health.state
            // Online or degraded is the same for the merged list.
            if !isSameState { list.touchRegistrations(of: slot) }
            if !isSameState || slots[slot].health?.kind != health.kind
                || slots[slot].health?.generation != health.generation
            {
                changes.note(endpoint: slot)
            }
            slots[slot].health = health
        }
        var isNewList = false
        if let entries = row.models {
            isNewList = hold(entries, of: row, in: slot)
        }
        guard isNewHealth || isNewList else { return }
        updateList(slot, &effects)
        if slots[slot].isHealthVisible { effects.note(.snapshotApplied(id: row.endpoint)) }
    }

    /// Ids of the pollers that the newest rows are from.
    public var pollers: Set<String> {
        var found: Set<String> = []
        for slot in slots.indices {
            if let poller = slots[slot].health?.poller { found.insert(poller) }
        }
        return found
    }

    private mutating func hold(_ entries: [ModelEntry], of row: SnapshotRow, in slot: Int) -> Bool {
        let tick = row.modelsTick ?? row.tick
        if let held = slots[slot].models, (held.generation, held.tick) > (row.generation, tick) { return false }
        let models = HeldModels(
            generation: row.generation, tick: tick, digest: row.digest, entries: entries, shared: { list.shared($0) })
        guard models.supersedes(slots[slot].models) else { return false }
        slots[slot].models = models
        return true
    }

    /// Whether a row could ever become visible. One of a newer generation than the record's is held until the record
    /// comes; one of an unknown endpoint as well, unless the endpoint is known to be gone.
    private func mayCount(_ row: SnapshotRow) -> Bool {
        if let slot = slotOfID[row.endpoint] {
            if let record = slots[slot].record { return row.generation >= record.generation }
            if slots[slot].isTombstone, row.generation <= slots[slot].revision { return false }
        }
        guard let checkpoint else { return true }
        return !checkpoint.excludes(.endpoint, row.endpoint, revision: row.generation)
    }
}
