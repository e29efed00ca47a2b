/// Writes the content of a catalog as messages of the catalog stream. They are published if the stream no longer holds it.
extension Catalog {
    /// Largest number of rows in one message.
    static let restatedRows = 50
    /// Largest estimated size of one message's rows, in bytes.
    static let restatedBytes = 200_000

    /// All records (and tombstones that no checkpoint covers), the checkpoint, and all that `snapshotMessages` gives, in this
    /// order. A catalog that is made of these messages alone has the same list and the same views.
    ///
    /// - Parameter poller: Whoever says it.
    public func allMessages(from poller: String) -> [CatalogMessage] {
        var messages = recordMessages
        messages += (checkpoint?.parts ?? []).map { .registryCheckpoint($0) }
        messages += snapshotMessages(from: poller)
        messages += hubMessages
        return messages + allOperations.map { .operationChanged($0) }
    }

    /// The results of polls and verifications, in full. The registrar does not hold them, so it cannot announce them.
    public func snapshotMessages(from poller: String) -> [CatalogMessage] {
        snapshotBatches(poller)
            + registrationSlots.values.flatMap(\.results.values).filter { $0.number >= oldestVerification }
            .sorted { ($0.number, $0.registration, $0.endpoint) < ($1.number, $1.registration, $1.endpoint) }
            .map { .verifyResult($0) }
    }

    private var hubMessages: [CatalogMessage] {
        registrationSlots.values.compactMap(\.hub).sorted { ByteOrder.precedes($0.registration, $1.registration) }
            .map { .hubChanged($0) }
    }

    private var recordMessages: [CatalogMessage] {
        let endpoints = knownSlots.map { ($0.id, $0.revision, $0.record.map { RegistryChange($0) }) }
        let registrations = registrationSlots.sorted { ByteOrder.precedes($0.key, $1.key) }
            .map { ($0.key, $0.value.revision, $0.value.record.map { RegistryChange($0) }) }
        let keys = keySlots.sorted { ByteOrder.precedes($0.key, $1.key) }
            .map { ($0.key, $0.value.revision, $0.value.record.map { RegistryChange($0) }) }
        let kinds: [(RecordKind, [(id: String, revision: Int64, change: RegistryChange?)])] = [
            (.endpoint, endpoints), (.registration, registrations), (.key, keys),
        ]
        return kinds.flatMap { kind, records in
            records.filter { $0.revision > 0 }.map { record in
                .registryChanged(
                    record.change ?? RegistryChange(tombstoneOf: kind, id: record.id, revision: record.revision))
            }
        }
    }

    private var knownSlots: [EndpointSlot] {
        slots.filter { !$0.isEmpty }.sorted { ByteOrder.precedes($0.id, $1.id) }
    }

    private func snapshotBatches(_ poller: String) -> [CatalogMessage] {
        var messages: [CatalogMessage] = []
        var batch: [SnapshotRow] = []
        var size = 0
        func endBatch() {
            if !batch.isEmpty { messages.append(.snapshotBatch(SnapshotBatch(poller: poller, rows: batch))) }
            batch = []
            size = 0
        }
        for slot in knownSlots {
            let rows = slot.fullRows
            let cost = rows.reduce(0) { $0 + $1.estimatedSize }
            if batch.count + rows.count > Self.restatedRows || size + cost > Self.restatedBytes { endBatch() }
            batch += rows
            size += cost
        }
        endBatch()
        return messages
    }
}

extension EndpointSlot {
    /// The visible snapshot as rows.
    ///
    /// One row, unless health and models are out of step: a row can name one digest only. Then the health goes first,
    /// and the models follow in a row whose tick is too old to count as health.
    fileprivate var fullRows: [SnapshotRow] {
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
