/// All that is held under one registration's name: its record or tombstone, and what generations on endpoints came to.
struct RegistrationSlot: RecordSlot, Sendable {
    var revision: Int64 = 0
    var record: RegistrationRecord?
    /// The newest by endpoint id.
    var results: [String: VerifyResult] = [:]
    /// Newer than the record, or of a record that is still to come.
    var hub: HubChange?

    var isEmpty: Bool { revision == 0 && results.isEmpty && hub == nil }

    /// Lets go of results of jobs that came before `number`.
    mutating func dropResults(before number: Int64) {
        results = results.filter { $0.value.number >= number }
    }

    /// Lets go of live numbers that came before `revision`.
    mutating func dropHub(upTo revision: Int64) {
        if let hub, hub.revision <= revision { self.hub = nil }
    }
}

extension Catalog {
    /// What tells whether a registration may look different from what it did, for those who keep what they made of it.
    public struct RegistrationStamp: Sendable, Hashable {
        let change: UInt64
        /// It shows in the warnings of all of them, and is cheaper to look up than to keep.
        let greatestMemoryBytes: Int64?
    }

    /// Of every registered model, sorted by name. A fraction of the work of `registrations`.
    public var registrationStamps: [(name: String, stamp: RegistrationStamp)] {
        let memory = greatestMemoryBytes
        return list.registered.order.map { name in
            (name, RegistrationStamp(change: list.registered.stamp(of: name), greatestMemoryBytes: memory))
        }
    }

    /// Those of `names` that are registered, in their order.
    public func registrations(named names: [String]) -> [RegistrationView] {
        let memory = greatestMemoryBytes
        return names.compactMap { name in registrationSlots[name].flatMap { view(of: $0, memory) } }
    }

    /// Registered models with what the fleet makes of them, sorted by name.
    public var registrations: [RegistrationView] {
        registrations(named: list.registered.order)
    }

    /// `name` in lower case, as it is registered.
    public func registration(named name: String) -> RegistrationView? {
        registrationSlots[name].flatMap { view(of: $0, greatestMemoryBytes) }
    }

    /// Of every endpoint, by name.
    public var endpointMemory: [EndpointMemory] {
        var memory: [EndpointMemory] = []
        for slot in slots.indices {
            guard let name = slots[slot].record?.name else { continue }
            memory.append(
                EndpointMemory(
                    endpoint: slots[slot].id, name: name, bytes: slots[slot].visibleHealth?.gpuMemoryBytes))
        }
        return memory.sorted { ByteOrder.precedes($0.name, $1.name) }
    }

    /// nil where there is no such endpoint.
    public func endpointName(id: String) -> String? { slotOfID[id].flatMap { slots[$0].record?.name } }

    mutating func applyRegistration(_ change: RegistryChange, _ effects: inout EffectLog) {
        var slot = registrationSlots[change.id] ?? RegistrationSlot()
        guard slot.isSuperseded(by: change.registration, revision: change.revision) else { return }
        let changed = slot.record != nil || change.registration != nil
        slot.revision = change.revision
        slot.record = change.registration
        slot.dropResults(before: change.registration?.generation ?? change.revision + 1)
        slot.dropHub(upTo: change.revision)
        registrationSlots[change.id] = slot
        nameRegistration(change.id, slot.record, &effects)
        list.touchRegistration(change.id)
        if changed { effects.note(.registrationChanged(name: change.id)) }
    }

    /// Forgets what a checkpoint does not list and would have to.
    mutating func dropRegistrations(excludedBy checkpoint: HeldCheckpoint, _ effects: inout EffectLog) {
        for (name, var slot) in registrationSlots {
            slot.dropResults(before: oldestVerification)
            for (endpoint, result) in slot.results
            where checkpoint.excludes(.endpoint, endpoint, revision: result.generation) {
                slot.results[endpoint] = nil
                list.touchRegistration(name)
            }
            if checkpoint.lists(.registration, name) || slot.revision > checkpoint.revision {
                registrationSlots[name] = slot
                continue
            }
            let wasLive = slot.record != nil
            slot.revision = 0
            slot.record = nil
            slot.dropResults(before: checkpoint.revision + 1)
            slot.dropHub(upTo: checkpoint.revision)
            registrationSlots[name] = slot.isEmpty ? nil : slot
            guard wasLive else { continue }
            nameRegistration(name, nil, &effects)
            effects.note(.registrationChanged(name: name))
        }
    }

    mutating func apply(_ result: VerifyResult, _ effects: inout EffectLog) {
        guard mayCount(result) else { return }
        let held = registrationSlots[result.registration]?.results[result.endpoint]
        guard result.supersedes(held) else { return }
        registrationSlots[result.registration, default: RegistrationSlot()].results[result.endpoint] = result
        list.touchRegistration(result.registration)
        effects.note(.verified(registration: result.registration, endpoint: result.endpoint))
    }

    /// Live numbers count where they are newer than the record; those of a record that is still to come are held.
    mutating func apply(_ change: HubChange, _ effects: inout EffectLog) {
        highestRevision = max(highestRevision, change.revision)
        let slot = registrationSlots[change.registration]
        guard change.revision > slot?.revision ?? 0, change.supersedes(slot?.hub),
            checkpoint?.excludes(.registration, change.registration, revision: change.revision) != true
        else { return }
        registrationSlots[change.registration, default: RegistrationSlot()].hub = change
        guard slot?.record != nil else { return }
        list.touchRegistration(change.registration)
        effects.note(.registrationChanged(name: change.registration))
    }

    /// The newest result of a generation on one endpoint, of whatever generation of the endpoint.
    public func verification(of registration: String, on endpoint: String) -> VerifyResult? {
        registrationSlots[registration]?.results[endpoint]
    }

    /// Results of verifications before this revision are forgotten.
    var oldestVerification: Int64 { highestRevision - VerifyResult.keptRevisions }

    /// Whether a result could ever be shown: not one of a manifest that was replaced, of a model that was removed, or
    /// of an endpoint that was removed since.
    private func mayCount(_ result: VerifyResult) -> Bool {
        guard result.number >= oldestVerification else { return false }
        if let slot = registrationSlots[result.registration], slot.revision > 0 {
            guard result.number >= slot.record?.generation ?? slot.revision + 1 else { return false }
        }
        guard let checkpoint else { return true }
        let isKnown = registrationSlots[result.registration]?.record != nil
        return (isKnown || !checkpoint.excludes(.registration, result.registration, revision: result.number))
            && !checkpoint.excludes(.endpoint, result.endpoint, revision: result.generation)
    }

    private mutating func nameRegistration(
        _ name: String, _ record: RegistrationRecord?, _ effects: inout EffectLog
    ) {
        if list.register(name, record.map(RegistrationNames.init)) { effects.modelsChanged = true }
    }

    /// Looks at the slots where they are: a copy of each row for one number of it would be most of the work.
    private var greatestMemoryBytes: Int64? {
        var greatest: Int64?
        for slot in slots.indices {
            guard let bytes = slots[slot].health?.gpuMemoryBytes, slots[slot].isHealthVisible else { continue }
            greatest = max(greatest ?? bytes, bytes)
        }
        return greatest
    }

    private func view(of slot: RegistrationSlot, _ memory: Int64?) -> RegistrationView? {
        guard var record = slot.record else { return nil }
        if let change = slot.hub { record.hub = change.hub }
        let results = slot.results.values.filter { result in
            result.number >= oldestVerification
                && slotOfID[result.endpoint].flatMap { slots[$0].record }?.generation == result.generation
        }
        return RegistrationView(
            record: record, serving: serving(record.name),
            verifications: results.sorted { ByteOrder.precedes($0.endpoint, $1.endpoint) },
            greatestMemoryBytes: memory)
    }

    private func serving(_ registration: String) -> [ServingEndpoint] {
        list.holders(of: registration).compactMap { holder in
            guard let name = slots[holder.member].record?.name, let state = slots[holder.member].health?.state else {
                return nil
            }
            return ServingEndpoint(endpoint: slots[holder.member].id, name: name, model: holder.model, state: state)
        }.sorted { left, right in
            if !ByteOrder.same(left.name, right.name) { return ByteOrder.precedes(left.name, right.name) }
            return left.model < right.model
        }
    }
}

extension VerifyResult {
    /// Whether this one is to be kept rather than `held`: that of the endpoint's later generation, which outlives every
    /// checkpoint that the other one does; then the later job's, and of one job, which two may have done, a poller's
    /// before the registrar's that nobody had done it, then the one whose bytes are greater.
    func supersedes(_ held: VerifyResult?) -> Bool {
        guard let held else { return true }
        if generation != held.generation { return generation > held.generation }
        if number != held.number { return number > held.number }
        if (by == Self.registrar) != (held.by == Self.registrar) { return held.by == Self.registrar }
        return self != held && CanonicalBytes.precedes(held, self)
    }

    /// A result is forgotten once the registry has moved on by so many revisions: no clock has a part in that.
    static let keptRevisions: Int64 = 100_000

    /// `by` of a result that stands for a job that no poller has done.
    public static let registrar = "registrar"
}

extension HubChange {
    fileprivate func supersedes(_ held: HubChange?) -> Bool {
        guard let held else { return true }
        if revision != held.revision { return revision > held.revision }
        return self != held && CanonicalBytes.precedes(held, self)
    }
}
