/// Reads the lines of an image, part by part.
struct ImageDecoder {
    private var position: LogPosition?
    private var source = ImageSource(
        slots: [], registrations: [:], keys: [:], checkpoint: nil, pendingParts: [], operations: OperationShelf(),
        highestRevision: 0, highestTick: 0)
    private var checkpoint: CheckpointPart?
    private var operations: [Operation] = []
    private var models: [SharedModel] = []
    private var lists: [(digest: String?, models: [SharedModel])] = []

    /// Throws `BrokenImage`.
    mutating func read(_ part: [UInt8]) throws {
        try part.withUnsafeBytes { bytes in
            var line = ImageLineReader(bytes)
            while !line.isAtEnd { try readLine(&line) }
        }
    }

    func finished() throws(BrokenImage) -> (ImageSource, LogPosition) {
        guard let position else { throw BrokenImage(reason: "it does not name its place in the catalog stream") }
        var source = source
        source.operations = OperationShelf(operations)
        if let checkpoint {
            source.checkpoint = HeldCheckpoint(
                Checkpoint(
                    registry: checkpoint.registry, incarnation: checkpoint.incarnation, revision: checkpoint.revision,
                    madeAt: checkpoint.madeAt, entries: checkpoint.entries),
                key: CheckpointAssembly.Key(checkpoint))
        }
        return (source, position)
    }

    private mutating func readLine(_ line: inout ImageLineReader) throws(BrokenImage) {
        let tag = try line.begin()
        switch tag {
        case "endpoint": try readEndpoint(&line)
        case "model": models.append(SharedModel(try Self.model(&line)))
        case "list": try readList(&line)
        case "image": try readHead(&line)
        case "checkpoint": try readCheckpoint(&line)
        case "registration": try readRegistration(&line)
        case "verified":
            let result = try Self.result(&line)
            source.registrations[result.registration, default: RegistrationSlot()].results[result.endpoint] = result
        case "hub": try readHub(&line)
        case "key":
            let (id, revision) = (try line.text(), try line.integer())
            list(.key, id, try line.optionalInteger())
            source.keys[id] = KeySlot(revision: revision, record: try line.json(KeyRecord.self))
        case "listed":
            list(RecordKind(rawValue: try line.text()), try line.text(), try line.integer())
        case "part":
            guard let part = try line.json(CheckpointPart.self) else { throw BrokenImage(reason: "a part is missing") }
            source.pendingParts.append(part)
        case "operation":
            guard let operation = try line.json(Operation.self) else {
                throw BrokenImage(reason: "an operation is missing")
            }
            operations.append(operation)
        default: throw BrokenImage(reason: "an unknown line")
        }
        try line.endLine()
    }

    private mutating func readHead(_ line: inout ImageLineReader) throws(BrokenImage) {
        guard try line.integer() == CatalogImage.version else { throw BrokenImage(reason: "another version") }
        position = LogPosition(offset: try line.integer(), messageID: try line.text())
        source.highestRevision = try line.integer()
        source.highestTick = try line.integer()
    }

    private mutating func readCheckpoint(_ line: inout ImageLineReader) throws(BrokenImage) {
        checkpoint = CheckpointPart(
            registry: try line.text(), incarnation: try line.integer(), revision: try line.integer(), part: 0,
            parts: Int(try line.integer()), entries: [], madeAt: try line.integer())
    }

    private mutating func list(_ kind: RecordKind, _ id: String, _ revision: Int64?) {
        guard let revision else { return }
        checkpoint?.entries.append(CheckpointEntry(kind: kind, id: id, revision: revision))
    }

    private mutating func readRegistration(_ line: inout ImageLineReader) throws(BrokenImage) {
        let (name, revision) = (try line.text(), try line.integer())
        list(.registration, name, try line.optionalInteger())
        let record = try line.json(RegistrationRecord.self)
        guard revision > 0 else { return }
        source.registrations[name] = RegistrationSlot(revision: revision, record: record)
    }

    private mutating func readHub(_ line: inout ImageLineReader) throws(BrokenImage) {
        let (name, revision) = (try line.text(), try line.integer())
        guard let hub = try line.json(HubInfo.self) else { throw BrokenImage(reason: "live numbers are missing") }
        source.registrations[name, default: RegistrationSlot()].hub = HubChange(
            registration: name, revision: revision, hub: hub)
    }

    private mutating func readList(_ line: inout ImageLineReader) throws(BrokenImage) {
        let digest = try line.optionalText()
        var listed: [SharedModel] = []
        while !line.isClosing {
            let number = Int(try line.integer())
            guard models.indices.contains(number) else { throw BrokenImage(reason: "a model that is not there") }
            listed.append(models[number])
        }
        lists.append((digest, listed))
    }

    private mutating func readEndpoint(_ line: inout ImageLineReader) throws(BrokenImage) {
        var slot = EndpointSlot(id: try line.text())
        slot.revision = try line.integer()
        list(.endpoint, slot.id, try line.optionalInteger())
        if try !line.takeNull() { slot.record = try Self.record(&line, slot.id, slot.revision) }
        if try !line.takeNull() { slot.models = try held(&line) }
        if try !line.takeNull() { slot.health = try Self.health(&line, slot.id, slot.models?.digest) }
        source.slots.append(slot)
    }

    private func held(_ line: inout ImageLineReader) throws(BrokenImage) -> HeldModels {
        try line.open()
        let (generation, tick, number) = (try line.integer(), try line.integer(), Int(try line.integer()))
        guard lists.indices.contains(number) else { throw BrokenImage(reason: "a list that is not there") }
        let (digest, models) = lists[number]
        let earliest = try line.integer()
        var firstSeen = HeldModels.FirstSeen.all(earliest)
        if !line.isClosing {
            var times: [Int64] = []
            times.reserveCapacity(models.count)
            for _ in models { times.append(earliest &+ (try line.integer())) }
            firstSeen = .each(times)
        }
        try line.close()
        return HeldModels(generation: generation, tick: tick, digest: digest, distinct: models, firstSeen: firstSeen)
    }

    private static func record(
        _ line: inout ImageLineReader, _ id: String, _ revision: Int64
    ) throws(BrokenImage) -> EndpointRecord {
        try line.open()
        let (name, baseURL) = (try line.text(), try line.text())
        let kind = EndpointKind(rawValue: try line.text())
        var record = EndpointRecord(
            id: id, name: name, baseURL: baseURL, kind: kind,
            pollIntervalSeconds: try line.optionalInteger().map(Int.init),
            maxConcurrency: try line.optionalInteger().map(Int.init), draining: try line.flag(),
            sealedAPIKey: try line.optionalText(), generation: try line.integer(), revision: revision,
            createdAt: try line.integer())
        while !line.isClosing {
            let label = try line.text()
            record.labels[label] = try line.text()
        }
        try line.close()
        return record
    }

    private static func health(
        _ line: inout ImageLineReader, _ id: String, _ listDigest: String?
    ) throws(BrokenImage) -> SnapshotRow {
        try line.open()
        let (generation, tick, poller) = (try line.integer(), try line.integer(), try line.text())
        let state = EndpointState(rawValue: try line.text())
        let failures = Int(try line.integer())
        let kind = try line.optionalText().map { EndpointKind(rawValue: $0) }
        var row = SnapshotRow(
            endpoint: id, generation: generation, tick: tick, poller: poller, state: state, failures: failures,
            kind: kind, latencyMilliseconds: try line.optionalInteger().map(Int.init), error: try failure(&line),
            observedAt: try line.integer(), lastOKAt: try line.optionalInteger(),
            gpuMemoryBytes: try line.optionalInteger())
        row.digest = try line.textOrSame(as: listDigest)
        row.baseDigest = try line.textOrSame(as: row.digest)
        while !line.isClosing { row.failedBy.append(try line.text()) }
        try line.close()
        return row
    }

    private static func failure(_ line: inout ImageLineReader) throws(BrokenImage) -> PollFailure? {
        guard try line.takeOpening() else {
            guard try line.takeNull() else { throw BrokenImage(reason: "not as it was written") }
            return nil
        }
        let failure = PollFailure(code: try line.text(), message: try line.text())
        try line.close()
        return failure
    }

    private static func model(_ line: inout ImageLineReader) throws(BrokenImage) -> ModelEntry {
        var entry = ModelEntry(
            id: ModelID(try line.text()), ownedBy: try line.optionalText(),
            contextLength: try line.optionalInteger().map(Int.init), quantization: try line.optionalText(),
            parameterCount: try line.optionalInteger(), architecture: try line.optionalText(),
            loaded: try line.optionalFlag(), contentDigest: try line.optionalText(),
            sizeBytes: try line.optionalInteger(), capabilities: try capabilities(&line),
            contextLengthMax: try line.optionalInteger().map(Int.init), parent: try line.optionalText(), firstSeen: 0)
        while !line.isClosing { entry.aliases = (entry.aliases ?? []) + [ModelID(try line.text())] }
        return entry
    }

    private static func capabilities(_ line: inout ImageLineReader) throws(BrokenImage) -> ModelCapabilities? {
        guard let number = try line.optionalInteger() else { return nil }
        guard let bits = UInt8(exactly: number) else { throw BrokenImage(reason: "capabilities that are none") }
        return ModelCapabilities(rawValue: bits)
    }

    private static func result(_ line: inout ImageLineReader) throws(BrokenImage) -> VerifyResult {
        let (registration, number, endpoint) = (try line.text(), try line.integer(), try line.text())
        let (generation, model) = (try line.integer(), ModelID(try line.text()))
        let outcome = VerifyResult.Outcome(rawValue: try line.text())
        return VerifyResult(
            registration: registration, number: number, endpoint: endpoint, generation: generation, model: model,
            outcome: outcome, tokens: try line.optionalInteger().map(Int.init),
            latencyMilliseconds: try line.optionalInteger().map(Int.init), text: try line.optionalText(),
            error: try failure(&line), by: try line.text(), at: try line.integer())
    }
}

extension ImageLineReader {
    /// `true` stands for a text that is the same as the one that is known.
    fileprivate mutating func textOrSame(as known: String?) throws(BrokenImage) -> String? {
        try takeTrue() ? known : try optionalText()
    }
}
