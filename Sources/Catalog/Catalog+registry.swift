/// Records, tombstones, and checkpoints.
extension Catalog {
    mutating func apply(_ change: RegistryChange, _ effects: inout EffectLog) {
        highestRevision = max(highestRevision, change.revision)
        if let checkpoint, checkpoint.excludes(change.kind, change.id, revision: change.revision) { return }
        switch change.kind {
        case .endpoint: applyEndpoint(change, &effects)
        case .registration: applyRegistration(change, &effects)
        case .key: applyKey(change, &effects)
        // Of a later release.
        default: break
        }
    }

    private mutating func applyEndpoint(_ change: RegistryChange, _ effects: inout EffectLog) {
        let slot = slot(for: change.id)
        guard slots[slot].isSuperseded(by: change.endpoint, revision: change.revision) else { return }
        let wasVisible = slots[slot].isHealthVisible
        let changed = change.endpoint != nil || slots[slot].record != nil
        slots[slot].revision = change.revision
        setRecord(change.endpoint, of: slot)
        // Generations are revisions: rows of one at or below the removal belong to what was removed.
        slots[slot].dropRows(olderThan: change.endpoint?.generation ?? change.revision + 1)
        if changed { effects.note(.endpointRecordChanged(id: change.id)) }
        updateList(slot, &effects)
        if !wasVisible, slots[slot].isHealthVisible { effects.note(.snapshotApplied(id: change.id)) }
    }

    mutating func apply(_ part: CheckpointPart, _ effects: inout EffectLog) {
        highestRevision = max(highestRevision, part.revision)
        let key = CheckpointAssembly.Key(part)
        if let held = checkpoint, key <= held.key {
            if key == held.key { checkpoint?.madeAt = max(held.madeAt, part.madeAt) }
            return
        }
        guard let whole = assembly.add(part) else { return }
        assembly.drop(upTo: key)
        let held = HeldCheckpoint(whole, key: key)
        checkpoint = held
        for slot in slots.indices where !slots[slot].isEmpty && !held.lists(.endpoint, slots[slot].id) {
            dropExcluded(slot, by: held, &effects)
        }
        dropRegistrations(excludedBy: held, &effects)
        dropKeys(excludedBy: held, &effects)
        if let version { effects.note(.checkpoint(version)) }
    }

    /// Forgets what a checkpoint does not list and would have to.
    private mutating func dropExcluded(_ slot: Int, by checkpoint: HeldCheckpoint, _ effects: inout EffectLog) {
        if slots[slot].revision <= checkpoint.revision {
            let id = slots[slot].id
            let wasLive = slots[slot].record != nil
            slots[slot].revision = 0
            setRecord(nil, of: slot)
            slots[slot].dropRows(olderThan: checkpoint.revision + 1)
            if wasLive { effects.note(.endpointRecordChanged(id: id)) }
            updateList(slot, &effects)
        }
        if slots[slot].isEmpty { release(slot) }
    }

    private mutating func setRecord(_ record: EndpointRecord?, of slot: Int) {
        let old = slots[slot].record
        slots[slot].record = record
        changes.note(endpoint: slot)
        // Names of endpoints, and whether they are what was verified, show in verifications.
        if old?.name != record?.name || old?.generation != record?.generation { list.touchRegistrations() }
        guard old?.name != record?.name else { return }
        if let old {
            slotsOfName[old.name]?.removeAll { $0 == slot }
            if slotsOfName[old.name]?.isEmpty == true { slotsOfName[old.name] = nil }
        }
        if let record { slotsOfName[record.name, default: []].append(slot) }
    }

    /// The slot of an id, made where there is none.
    mutating func slot(for id: String) -> Int {
        if let slot = slotOfID[id] { return slot }
        let slot: Int
        if let free = freeSlots.popLast() {
            slots[free] = EndpointSlot(id: id)
            slot = free
        } else {
            slots.append(EndpointSlot(id: id))
            slot = slots.count - 1
        }
        slotOfID[id] = slot
        return slot
    }

    private mutating func release(_ slot: Int) {
        slotOfID[slots[slot].id] = nil
        slots[slot] = EndpointSlot(id: "")
        freeSlots.append(slot)
    }

    /// Tells the merged list what the endpoint brings in now.
    mutating func updateList(_ slot: Int, _ effects: inout EffectLog) {
        let changed = list.replace(
            slot, name: slots[slot].record?.name ?? "", isUsable: slots[slot].isUsable,
            models: slots[slot].visibleModels)
        if changed { effects.modelsChanged = true }
    }
}
