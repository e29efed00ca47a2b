extension Catalog {
    /// Largest number of records, operations, or snapshots in one refresh message.
    static let refreshBatch = 50
    /// Largest estimated size of a refresh message's snapshots, in bytes.
    static let refreshBytes = 200_000

    /// What a refresh says of this: all records (and tombstones that no checkpoint covers), the checkpoint, all
    /// snapshots in full, all operations, in this order, cut into small messages.
    ///
    /// A catalog that is made of these messages alone has the same list and the same views.
    public func refreshMessages() -> [Refresh] {
        let known = knownSlots
        let records = known.filter { $0.revision > 0 }.map {
            $0.record.map { RegistryChange($0) }
                ?? RegistryChange(tombstoneOf: .endpoint, id: $0.id, revision: $0.revision)
        }
        var messages = records.chunks(of: Self.refreshBatch).map { Refresh(records: $0) }
        messages += registrationMessages + keyMessages
        messages += (checkpoint?.parts ?? []).map { Refresh(checkpoint: [$0]) }
        messages += snapshotBatches(known)
        messages += allOperations.chunks(of: Self.refreshBatch).map { Refresh(operations: $0) }
        return messages + verificationMessages + hubMessages
    }

    /// Only what polls and generations found, in full: what a stream that was made anew cannot get from the registrar.
    public func snapshotMessages() -> [Refresh] { snapshotBatches(knownSlots) + verificationMessages }

    /// One a message: a manifest may be long.
    private var registrationMessages: [Refresh] {
        registrationSlots.filter { $0.value.revision > 0 }.sorted { ByteOrder.precedes($0.key, $1.key) }
            .map { name, slot in
                let change =
                    slot.record.map { RegistryChange($0) }
                    ?? RegistryChange(tombstoneOf: .registration, id: name, revision: slot.revision)
                return Refresh(records: [change])
            }
    }

    private var keyMessages: [Refresh] {
        keySlots.sorted { ByteOrder.precedes($0.key, $1.key) }
            .map { id, slot in
                slot.record.map { RegistryChange($0) }
                    ?? RegistryChange(tombstoneOf: .key, id: id, revision: slot.revision)
            }
            .chunks(of: Self.refreshBatch).map { Refresh(records: $0) }
    }

    private var hubMessages: [Refresh] {
        registrationSlots.values.compactMap(\.hub).sorted { ByteOrder.precedes($0.registration, $1.registration) }
            .chunks(of: Self.refreshBatch).map { Refresh(hubs: $0) }
    }

    private var verificationMessages: [Refresh] {
        registrationSlots.values.flatMap(\.results.values).filter { $0.number >= oldestVerification }
            .sorted { ($0.number, $0.registration, $0.endpoint) < ($1.number, $1.registration, $1.endpoint) }
            .chunks(of: Self.refreshBatch).map { Refresh(verifications: $0) }
    }

    private var knownSlots: [EndpointSlot] {
        slots.filter { !$0.isEmpty }.sorted { ByteOrder.precedes($0.id, $1.id) }
    }

    private func snapshotBatches(_ known: [EndpointSlot]) -> [Refresh] {
        var messages: [Refresh] = []
        var batch: [SnapshotRow] = []
        var size = 0
        for slot in known {
            let rows = slot.refreshRows
            let cost = rows.reduce(0) { $0 + $1.estimatedSize }
            if !batch.isEmpty, batch.count + rows.count > Self.refreshBatch || size + cost > Self.refreshBytes {
                messages.append(Refresh(snapshots: batch))
                batch = []
                size = 0
            }
            batch += rows
            size += cost
        }
        if !batch.isEmpty { messages.append(Refresh(snapshots: batch)) }
        return messages
    }
}

extension EndpointSlot {
    /// The visible snapshot as rows.
    ///
    /// One row, unless health and models are out of step: a row can name one digest only. Then the health goes first,
    /// and the models follow in a row whose tick is too old to count as health.
    fileprivate var refreshRows: [SnapshotRow] {
        guard let health = visibleHealth else { return [] }
        guard let models = visibleModels else { return [health] }
        var full = health
        full.models = models.entries
        if ByteOrder.same(health.digest, models.digest) {
            full.modelsTick = models.tick == health.tick ? nil : models.tick
            return [full]
        }
        full.digest = models.digest
        full.tick = models.tick - 1
        full.modelsTick = models.tick
        return [health, full]
    }
}

extension SnapshotRow {
    /// Roughly its length as JSON.
    fileprivate var estimatedSize: Int {
        400 + (error?.message.utf8.count ?? 0)
            + (models ?? []).reduce(0) { $0 + 140 + $1.id.value.utf8.count + ($1.ownedBy?.utf8.count ?? 0) }
    }
}

extension Array {
    /// In pieces of `size`, the last one may be shorter.
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
