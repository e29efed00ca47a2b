/// Registry + latest snapshots, merged: a pure function of the messages applied.
///
/// What is held is a set of registers of which the greatest value wins, so messages may come in any order, twice, or
/// again years later: catalogs that have seen the same messages are equal. No clock and no I/O in here.
public struct Catalog: Sendable {
    var slots: [EndpointSlot] = []
    var slotOfID: [String: Int] = [:]
    var freeSlots: [Int] = []
    /// Live endpoints by name. Two have one name only while a rename is half seen.
    var slotsOfName: [String: [Int]] = [:]
    var registrationSlots: [String: RegistrationSlot] = [:]
    var keySlots: [String: KeySlot] = [:]
    var keyOfDigest: [String: String] = [:]
    var checkpoint: HeldCheckpoint?
    var assembly = CheckpointAssembly()
    var operations = OperationShelf()
    var list = MergedList()
    var changes = ViewChanges()
    var appliedOffset: Int64?

    /// The highest revision seen in any record, tombstone, operation, or checkpoint; 0 before the first.
    public internal(set) var highestRevision: Int64 = 0
    /// The highest tick seen in any row; 0 before the first.
    public internal(set) var highestTick: Int64 = 0

    public init() {}

    /// Takes in what stands at `offset` of the stream; says what that changed, in order.
    public mutating func apply(_ message: CatalogMessage, at offset: Int64) -> [CatalogEffect] {
        skip(offset)
        var effects = EffectLog()
        switch message {
        case .snapshotBatch(let batch):
            for row in batch.rows { apply(row, &effects) }
        case .registryChanged(let change):
            apply(change, &effects)
        case .registryCheckpoint(let part):
            apply(part, &effects)
        case .operationChanged(let operation):
            apply(operation, &effects)
        case .refresh(let refresh):
            for change in refresh.records { apply(change, &effects) }
            for part in refresh.checkpoint { apply(part, &effects) }
            for row in refresh.snapshots { apply(row, &effects) }
            for operation in refresh.operations { apply(operation, &effects) }
            for result in refresh.verifications { apply(result, &effects) }
            for change in refresh.hubs ?? [] { apply(change, &effects) }
        case .pollRequested(let request):
            effects.note(.pollRequested(id: request.endpoint))
        case .endpointSuspect(let request):
            effects.note(.endpointSuspect(id: request.endpoint))
        case .endpointAlive(let sighting):
            effects.note(.endpointAlive(id: sighting.endpoint))
        case .pollerCutOff(let notice):
            effects.note(.pollerCutOff(poller: notice.poller, isCutOff: notice.isCutOff))
        case .verifyResult(let result):
            apply(result, &effects)
        case .hubChanged(let change):
            apply(change, &effects)
        case .registrarClock(let clock):
            effects.note(.registrarClock(at: clock.at))
        case .syncMark(let mark):
            effects.note(.syncMark(id: mark.id))
        case .catalogRequested:
            effects.note(.catalogRequested)
        }
        return effects.finished()
    }

    /// Counts `offset` as applied: there is a message that means nothing to this version.
    public mutating func skip(_ offset: Int64) {
        appliedOffset = max(appliedOffset ?? offset, offset)
    }

    /// nil before the first checkpoint.
    public var version: CatalogVersion? {
        guard let checkpoint, let appliedOffset else { return nil }
        return CatalogVersion(incarnation: checkpoint.incarnation, offset: appliedOffset)
    }

    /// The registry's UUID, from the checkpoint held.
    public var registry: String? { checkpoint?.registry }

    /// Live endpoints in no order that means anything.
    public var unsortedEndpoints: [EndpointView] { slots.compactMap(\.view) }

    /// Live endpoints, sorted by name.
    public var endpoints: [EndpointView] {
        unsortedEndpoints.sorted { left, right in
            if !ByteOrder.same(left.record.name, right.record.name) {
                return ByteOrder.precedes(left.record.name, right.record.name)
            }
            return ByteOrder.precedes(left.record.id, right.record.id)
        }
    }

    public func endpoint(id: String) -> EndpointView? { slotOfID[id].flatMap { slots[$0].view } }

    /// Where a rename is half seen and two have the name, the one that got it last.
    public func endpoint(named name: String) -> EndpointView? {
        slotsOfName[name]?.max { slots[$0].revision < slots[$1].revision }.flatMap { slots[$0].view }
    }

    /// Of the live endpoints, in no order.
    public var endpointIDs: [String] { slots.compactMap { $0.record == nil ? nil : $0.id } }

    /// The whole list. Encoded once per change of it; until the next change this costs nothing.
    public var modelList: ModelList { mutating get { list.list() } }

    /// The part of the list that `patterns` match; made anew with each call.
    public mutating func modelList(of patterns: ModelPatterns) -> ModelListPart { list.list(of: patterns) }

    /// One entry of the list, encoded as in it; nil where it is not in the list.
    public func modelEntry(_ id: ModelID) -> [UInt8]? { list.entry(id) }

    /// What is still missing before this can be served.
    public var completeness: Completeness {
        let missing =
            missingRecords(.endpoint) { slotOfID[$0].map { slots[$0].revision } }
            + missingRecords(.registration) { registrationSlots[$0]?.revision }
            + missingRecords(.key) { keySlots[$0]?.revision }
        return Completeness(
            hasCheckpoint: checkpoint != nil, missingRecords: missing, missingLists: slots.count { $0.lacksList })
    }

    private func missingRecords(_ kind: RecordKind, held: (String) -> Int64?) -> Int {
        (checkpoint?.revisions(of: kind) ?? [:]).count { id, revision in held(id).map { $0 < revision } ?? true }
    }

    /// Whether a live endpoint's snapshot, or its list of models, that `old` shows is missing here: a catalog that
    /// takes the place of `old` would lose them.
    func lacksSnapshots(of old: Catalog) -> Bool {
        slots.contains { slot in
            guard slot.record != nil, let index = old.slotOfID[slot.id] else { return false }
            let former = old.slots[index]
            return former.isHealthVisible && !slot.isHealthVisible
                || former.visibleModels != nil && slot.visibleModels == nil
        }
    }

    public struct Completeness: Sendable, Hashable {
        public var hasCheckpoint: Bool
        /// Records that the checkpoint names in a revision that is not held.
        public var missingRecords: Int
        /// Endpoints whose newest row names a list of models, and no list is held. An endpoint without any row lacks nothing.
        public var missingLists: Int

        /// The registry is known in whole.
        public var hasRecords: Bool { hasCheckpoint && missingRecords == 0 }
    }
}
