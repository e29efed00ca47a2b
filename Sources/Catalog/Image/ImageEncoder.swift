/// Writes a catalog as the lines of an image.
struct ImageEncoder {
    private var writer: ImageLineWriter
    private var lists: [String: [(digest: String?, models: [SharedModel], number: Int)]] = [:]
    private var listCount = 0
    private var models: [ModelID: [(model: SharedModel, number: Int)]] = [:]
    private var modelCount = 0

    init(partLimit: Int) { writer = ImageLineWriter(partLimit: partLimit) }

    mutating func encode(_ source: ImageSource, at position: LogPosition) throws -> [[UInt8]] {
        writer.begin("image")
        writer.add(CatalogImage.version)
        writer.add(position.offset)
        writer.add(position.messageID)
        writer.add(source.highestRevision)
        writer.add(source.highestTick)
        writer.endLine()
        var listed = ListedRevisions(source.checkpoint)
        if let checkpoint = source.checkpoint { add(checkpoint) }
        for (name, slot) in source.registrations.sorted(by: { ByteOrder.precedes($0.key, $1.key) }) {
            try add(name, slot, listed.take(.registration, name))
        }
        for (id, slot) in source.keys.sorted(by: { ByteOrder.precedes($0.key, $1.key) }) {
            writer.begin("key")
            writer.add(id)
            writer.add(slot.revision)
            writer.add(listed.take(.key, id))
            try writer.add(json: slot.record)
            writer.endLine()
        }
        let slots = source.slots.indices.filter { !source.slots[$0].isEmpty }
            .sorted { ByteOrder.precedes(source.slots[$0].id, source.slots[$1].id) }
        for slot in slots { add(source.slots[slot], listed.take(.endpoint, source.slots[slot].id)) }
        for entry in listed.rest {
            writer.begin("listed")
            writer.add(entry.kind.rawValue)
            writer.add(entry.id)
            writer.add(entry.revision)
            writer.endLine()
        }
        for part in source.pendingParts {
            writer.begin("part")
            try writer.add(json: part)
            writer.endLine()
        }
        for operation in source.operations.all(at: source.highestRevision) {
            writer.begin("operation")
            try writer.add(json: operation)
            writer.endLine()
        }
        writer.finish()
        return writer.parts
    }

    private mutating func add(_ checkpoint: HeldCheckpoint) {
        writer.begin("checkpoint")
        writer.add(checkpoint.registry)
        writer.add(checkpoint.incarnation)
        writer.add(checkpoint.revision)
        writer.add(checkpoint.key.parts)
        writer.add(checkpoint.madeAt)
        writer.endLine()
    }

    private mutating func add(_ name: String, _ slot: RegistrationSlot, _ listed: Int64?) throws {
        if slot.revision > 0 || listed != nil {
            writer.begin("registration")
            writer.add(name)
            writer.add(slot.revision)
            writer.add(listed)
            try writer.add(json: slot.record)
            writer.endLine()
        }
        if let change = slot.hub { try add(change) }
        for result in slot.results.values.sorted(by: { ByteOrder.precedes($0.endpoint, $1.endpoint) }) {
            add(result)
        }
    }

    private mutating func add(_ change: HubChange) throws {
        writer.begin("hub")
        writer.add(change.registration)
        writer.add(change.revision)
        try writer.add(json: change.hub)
        writer.endLine()
    }

    private mutating func add(_ result: VerifyResult) {
        writer.begin("verified")
        writer.add(result.registration)
        writer.add(result.number)
        writer.add(result.endpoint)
        writer.add(result.generation)
        writer.add(result.model.value)
        writer.add(result.outcome.rawValue)
        writer.add(result.tokens)
        writer.add(result.latencyMilliseconds)
        writer.add(result.text)
        add(result.error)
        writer.add(result.by)
        writer.add(result.at)
        writer.endLine()
    }

    private mutating func add(_ error: PollFailure?) {
        guard let error else { return writer.addNull() }
        writer.open()
        writer.add(error.code)
        writer.add(error.message)
        writer.close()
    }

    private mutating func add(_ slot: EndpointSlot, _ listed: Int64?) {
        let list = slot.models.map { number(of: $0) }
        writer.begin("endpoint")
        writer.add(slot.id)
        writer.add(slot.revision)
        writer.add(listed)
        if let record = slot.record { add(record) } else { writer.addNull() }
        if let models = slot.models, let list { add(models, list) } else { writer.addNull() }
        if let health = slot.health { add(health, slot.models?.digest) } else { writer.addNull() }
        writer.endLine()
    }

    private mutating func add(_ record: EndpointRecord) {
        writer.open()
        writer.add(record.name)
        writer.add(record.baseURL)
        writer.add(record.kind.rawValue)
        writer.add(record.pollIntervalSeconds)
        writer.add(record.maxConcurrency)
        writer.add(record.draining)
        writer.add(record.sealedAPIKey)
        writer.add(record.generation)
        writer.add(record.createdAt)
        for (label, value) in record.labels.sorted(by: { ByteOrder.precedes($0.key, $1.key) }) {
            writer.add(label)
            writer.add(value)
        }
        writer.close()
    }

    private mutating func add(_ models: HeldModels, _ list: Int) {
        writer.open()
        writer.add(models.generation)
        writer.add(models.tick)
        writer.add(list)
        // One time for all entries, or the earliest and each one's distance from it.
        let times = models.models.indices.map(models.firstSeen(at:))
        let earliest = times.min() ?? 0
        writer.add(earliest)
        if times.contains(where: { $0 != earliest }) {
            for time in times { writer.add(time - earliest) }
        }
        writer.close()
    }

    private mutating func add(_ row: SnapshotRow, _ listDigest: String?) {
        writer.open()
        writer.add(row.generation)
        writer.add(row.tick)
        writer.add(row.poller)
        writer.add(row.state.rawValue)
        writer.add(row.failures)
        writer.add(row.kind?.rawValue)
        writer.add(row.latencyMilliseconds)
        add(row.error)
        writer.add(row.observedAt)
        writer.add(row.lastOKAt)
        writer.add(row.gpuMemoryBytes)
        add(row.digest, unless: listDigest)
        add(row.baseDigest, unless: row.digest)
        for poller in row.failedBy { writer.add(poller) }
        writer.close()
    }

    /// `true` stands for a text that is the same as the one that is known.
    private mutating func add(_ text: String?, unless known: String?) {
        if let text, let known, ByteOrder.same(text, known) { writer.add(true) } else { writer.add(text) }
    }

    // MARK: Lists of models, each once

    private mutating func number(of models: HeldModels) -> Int {
        let key = models.digest ?? ""
        for list in lists[key] ?? []
        where ByteOrder.same(list.digest, models.digest)
            && models.models.elementsEqual(list.models, by: { $0.says(the: $1) })
        {
            return list.number
        }
        let numbers = models.models.map { number(of: $0) }
        writer.begin("list")
        writer.add(models.digest)
        for number in numbers { writer.add(number) }
        writer.endLine()
        lists[key, default: []].append((models.digest, models.models, listCount))
        listCount += 1
        return listCount - 1
    }

    private mutating func number(of model: SharedModel) -> Int {
        let entry = model.entry
        for known in models[entry.id] ?? [] where model.says(the: known.model) { return known.number }
        writer.begin("model")
        writer.add(entry.id.value)
        writer.add(entry.ownedBy)
        writer.add(entry.contextLength)
        writer.add(entry.quantization)
        writer.add(entry.parameterCount)
        writer.add(entry.architecture)
        writer.add(entry.loaded)
        writer.add(entry.contentDigest)
        writer.add(entry.sizeBytes)
        writer.add((entry.capabilities?.rawValue).map(Int.init))
        writer.add(entry.contextLengthMax)
        writer.add(entry.parent)
        for alias in entry.aliases ?? [] { writer.add(alias.value) }
        writer.endLine()
        models[entry.id, default: []].append((model, modelCount))
        modelCount += 1
        return modelCount - 1
    }
}

/// The revisions that a checkpoint lists, without those that were taken out.
private struct ListedRevisions {
    private var revisions: [RecordKind: [String: Int64]] = [:]

    init(_ checkpoint: HeldCheckpoint?) {
        guard let checkpoint else { return }
        for kind in checkpoint.kinds { revisions[kind] = checkpoint.revisions(of: kind) }
    }

    mutating func take(_ kind: RecordKind, _ id: String) -> Int64? { revisions[kind]?.removeValue(forKey: id) }

    var rest: [CheckpointEntry] {
        revisions.flatMap { kind, ids in ids.map { CheckpointEntry(kind: kind, id: $0.key, revision: $0.value) } }
            .sorted()
    }
}
