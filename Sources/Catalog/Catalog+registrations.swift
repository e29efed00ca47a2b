/// All that is held under one registration's name: its record or tombstone, and what generations on endpoints came to.
struct RegistrationSlot: Sendable {
    /// Of the record or the tombstone held; 0 where neither is.
    var revision: Int64 = 0
    /// nil: unknown (revision 0) or removed (its tombstone is held).
    var record: RegistrationRecord?
    /// The newest by endpoint id.
    var results: [String: VerifyResult] = [:]

    var isEmpty: Bool { revision == 0 && results.isEmpty }

    /// As `EndpointSlot.isSuperseded`: the highest revision, a tombstone before a record.
    func isSuperseded(by change: RegistryChange) -> Bool {
        if change.revision != revision { return change.revision > revision }
        guard let new = change.registration else { return record != nil }
        guard let record else { return false }
        return record != new && CanonicalBytes.precedes(record, new)
    }

    /// Lets go of results of jobs that came before `number`.
    mutating func dropResults(before number: Int64) {
        results = results.filter { $0.value.number >= number }
    }
}

extension Catalog {
    /// Registered models with what the fleet makes of them, sorted by name.
    public var registrations: [RegistrationView] {
        let memory = greatestMemoryBytes
        return registrationSlots.values.compactMap { view(of: $0, memory) }
            .sorted { ByteOrder.precedes($0.record.name, $1.record.name) }
    }

    /// `name` in lower case, as it is registered.
    public func registration(named name: String) -> RegistrationView? {
        registrationSlots[name].flatMap { view(of: $0, greatestMemoryBytes) }
    }

    mutating func applyRegistration(_ change: RegistryChange, _ effects: inout EffectLog) {
        var slot = registrationSlots[change.id] ?? RegistrationSlot()
        guard slot.isSuperseded(by: change) else { return }
        let old = slot.record
        slot.revision = change.revision
        slot.record = change.registration
        slot.dropResults(before: change.registration?.generation ?? change.revision + 1)
        registrationSlots[change.id] = slot
        nameRegistration(change.id, from: old, to: slot.record, &effects)
        if old != nil || slot.record != nil { effects.note(.registrationChanged(name: change.id)) }
    }

    /// Forgets what a checkpoint does not list and would have to.
    mutating func dropRegistrations(excludedBy checkpoint: HeldCheckpoint, _ effects: inout EffectLog) {
        for (name, var slot) in registrationSlots {
            for (endpoint, result) in slot.results
            where checkpoint.excludes(.endpoint, endpoint, revision: result.number) {
                slot.results[endpoint] = nil
            }
            if checkpoint.lists(.registration, name) || slot.revision > checkpoint.revision {
                registrationSlots[name] = slot
                continue
            }
            let old = slot.record
            slot.revision = 0
            slot.record = nil
            slot.dropResults(before: checkpoint.revision + 1)
            registrationSlots[name] = slot.isEmpty ? nil : slot
            guard old != nil else { continue }
            nameRegistration(name, from: old, to: nil, &effects)
            effects.note(.registrationChanged(name: name))
        }
    }

    mutating func apply(_ result: VerifyResult, _ effects: inout EffectLog) {
        guard mayCount(result) else { return }
        let held = registrationSlots[result.registration]?.results[result.endpoint]
        guard result.supersedes(held) else { return }
        registrationSlots[result.registration, default: RegistrationSlot()].results[result.endpoint] = result
        effects.note(.verified(registration: result.registration, endpoint: result.endpoint))
    }

    /// Whether a result could ever be shown: not one of a manifest that was replaced, of a model that was removed, or
    /// of an endpoint that was removed since.
    private func mayCount(_ result: VerifyResult) -> Bool {
        if let slot = registrationSlots[result.registration], slot.revision > 0 {
            guard result.number >= slot.record?.generation ?? slot.revision + 1 else { return false }
        }
        guard let checkpoint else { return true }
        let isKnown = registrationSlots[result.registration]?.record != nil
        return (isKnown || !checkpoint.excludes(.registration, result.registration, revision: result.number))
            && !checkpoint.excludes(.endpoint, result.endpoint, revision: result.number)
    }

    private mutating func nameRegistration(
        _ name: String, from old: RegistrationRecord?, to new: RegistrationRecord?, _ effects: inout EffectLog
    ) {
        if list.register(name, new.map(RegistrationNames.init)) { effects.modelsChanged = true }
    }

    private var greatestMemoryBytes: Int64? {
        slots.compactMap { $0.visibleHealth?.gpuMemoryBytes }.max()
    }

    private func view(of slot: RegistrationSlot, _ memory: Int64?) -> RegistrationView? {
        guard let record = slot.record else { return nil }
        let results = slot.results.values.filter { slotOfID[$0.endpoint].flatMap { slots[$0].record } != nil }
        return RegistrationView(
            record: record, serving: serving(record.name),
            verifications: results.sorted { ByteOrder.precedes($0.endpoint, $1.endpoint) },
            greatestMemoryBytes: memory)
    }

    private func serving(_ registration: String) -> [ServingEndpoint] {
        list.holders(of: registration).compactMap { holder in
            guard let view = slots[holder.member].view else { return nil }
            return ServingEndpoint(
                endpoint: view.record.id, name: view.record.name, model: holder.model, state: view.state)
        }.sorted { left, right in
            if !ByteOrder.same(left.name, right.name) { return ByteOrder.precedes(left.name, right.name) }
            return left.model < right.model
        }
    }
}

extension VerifyResult {
    /// Whether this one is to be kept rather than `held`: the later job's, and of one job, which two may have done, a
    /// poller's before the registrar's that nobody had done it, then the one whose bytes are greater.
    func supersedes(_ held: VerifyResult?) -> Bool {
        guard let held else { return true }
        if number != held.number { return number > held.number }
        if (by == Self.registrar) != (held.by == Self.registrar) { return held.by == Self.registrar }
        return self != held && CanonicalBytes.precedes(held, self)
    }

    /// `by` of a result that stands for a job that no poller has done.
    public static let registrar = "registrar"
}
