/// Makes views of a catalog, and takes over from the view before what did not change.
///
/// Each part is an immutable object: the endpoints, the keys, the registrations, the lines of the list. A batch that
/// changes nothing that a view shows costs one new `CatalogView` around the same parts. Any catalog may be given at any
/// time. If it is not the one that the last view was made of, or a copy of that, everything is looked at again.
public struct CatalogViewBuilder: Sendable {
    private static let nothing = CatalogViewDraft(
        version: nil,
        readiness: Readiness(
            isReady: false, isCurrent: false, isUnconfirmed: false, lacksCheckpoint: false, reason: nil,
            publishInFull: false),
        knownCurrent: nil, models: .none, endpoints: HeldEndpoints([]), keys: HeldKeys([:]),
        registrations: HeldRegistrations([]), aliases: .nothing, modelStamp: 0)

    /// Names the state of the catalog that `slots`, without those in `pending`, shows; 0: none.
    private var base: UInt64 = 0
    private var slots: [HeldEndpoint?] = []
    /// Slots that are still to be looked at.
    private var pending: [Int] = []
    /// The endpoints of another catalog, by id, until all of `pending` have been looked at.
    private var former: [String: HeldEndpoint] = [:]
    private var hasNewEndpoints = false
    private var hasNewKeys = false
    /// An endpoint has become an Ollama, or is none any more: then names without a tag mean other models.
    private var hasNewOllama = false
    /// The registrations as they were at `registrationStamp`; see `RegistrationIndex.lastLineStamp`.
    private var registrations: [StampedRegistration] = []
    private var registrationStamp: UInt64 = 0
    /// The parts of the last draft.
    private var last = Self.nothing
    private var lastView: CatalogView?

    public init() {}

    /// The view of `catalog` as it is now.
    public mutating func view(
        of catalog: inout Catalog, readiness: Readiness, knownCurrent: ContinuousClock.Instant?
    ) -> CatalogView {
        let view = draft(of: &catalog, readiness: readiness, knownCurrent: knownCurrent).view(after: lastView)
        lastView = view
        return view
    }

    /// Does the work of `draft` until `isOver`, which is asked every microsecond or so. Returns whether all of it is done.
    ///
    /// The catalog may change between two calls. The later call looks again at what has changed.
    mutating func prepare(_ catalog: inout Catalog, until isOver: () -> Bool = { false }) -> Bool {
        takeChanges(of: &catalog)
        while let slot = pending.popLast() {
            look(at: slot, in: catalog)
            if isOver() { return false }
        }
        former = [:]
        return catalog.list.encodeStaleLines(until: isOver)
    }

    /// All that a view consists of, but for the joined list.
    mutating func draft(
        of catalog: inout Catalog, readiness: Readiness, knownCurrent: ContinuousClock.Instant?
    ) -> CatalogViewDraft {
        _ = prepare(&catalog)
        if hasNewEndpoints { last.endpoints = HeldEndpoints(slots) }
        if hasNewKeys { last.keys = HeldKeys(catalog.keyOfDigest.compactMapValues { catalog.keySlots[$0] }) }
        hasNewEndpoints = false
        hasNewKeys = false
        updateModels(of: &catalog.list)
        updateRegistrations(of: catalog.list)
        last.version = catalog.version
        last.readiness = readiness
        last.knownCurrent = knownCurrent
        return last
    }

    /// A draft that has nothing of a catalog but its version.
    static func draft(
        without catalog: Catalog, readiness: Readiness, knownCurrent: ContinuousClock.Instant?
    ) -> CatalogViewDraft {
        var draft = nothing
        draft.version = catalog.version
        draft.readiness = readiness
        draft.knownCurrent = knownCurrent
        return draft
    }

    private mutating func takeChanges(of catalog: inout Catalog) {
        if base == 0 || catalog.changes.base != base {
            for endpoint in slots.compactMap(\.self) { former[endpoint.record.id] = endpoint }
            slots = Array(repeating: nil, count: catalog.slots.count)
            pending = Array(catalog.slots.indices)
            hasNewEndpoints = true
            hasNewKeys = true
        } else {
            guard !catalog.changes.isEmpty else { return }
            pending += catalog.changes.endpoints
            if catalog.changes.hasNewKeys { hasNewKeys = true }
        }
        // A new number each time: of two copies of a catalog that go on apart, one has the builder's number only while
        // nothing of the other has been taken.
        base = ChangeStamp.next()
        catalog.changes.restart(at: base)
    }

    private mutating func look(at slot: Int, in catalog: borrowing Catalog) {
        while slots.count <= slot { slots.append(nil) }
        guard let record = catalog.slots[slot].record else {
            if let gone = slots[slot] {
                hasNewEndpoints = true
                hasNewOllama = hasNewOllama || gone.isOllama
            }
            slots[slot] = nil
            return
        }
        let isVisible = catalog.slots[slot].isHealthVisible
        let state = isVisible ? catalog.slots[slot].health?.state ?? .pending : .pending
        let kind = isVisible ? catalog.slots[slot].health?.kind : nil
        let held = slots[slot] ?? former[record.id]
        if let held, held.state == state, held.kind == kind, held.record == record {
            slots[slot] = held
            return
        }
        let new = HeldEndpoint(record: record, state: state, kind: kind)
        slots[slot] = new
        hasNewEndpoints = true
        if new.isOllama != held?.isOllama ?? false { hasNewOllama = true }
    }

    private mutating func updateModels(of list: inout MergedList) {
        let (models, aliases) = (list.listedModels(), list.heldAliases())
        guard hasNewOllama || models !== last.models || aliases !== last.aliases else { return }
        hasNewOllama = false
        last.models = models
        last.aliases = aliases
        last.modelStamp = ChangeStamp.next()
    }

    private mutating func updateRegistrations(of list: MergedList) {
        guard registrationStamp != list.registered.lastLineStamp else { return }
        registrationStamp = list.registered.lastLineStamp
        var former: [String: StampedRegistration] = [:]
        for registration in registrations { former[registration.held.name] = registration }
        registrations = list.registered.order.map { name in
            let stamp = list.registered.lineStamp(of: name)
            if let held = former[name], held.stamp == stamp { return held }
            let models = list.models(of: name)
            if let held = former[name]?.held, held.models.elementsEqual(models, by: ===) {
                return StampedRegistration(stamp: stamp, held: held)
            }
            return StampedRegistration(stamp: stamp, held: HeldRegistration(name: name, models: models))
        }
        let held = registrations.map(\.held)
        if !held.elementsEqual(last.registrations.entries, by: ===) { last.registrations = HeldRegistrations(held) }
    }

    private struct StampedRegistration: Sendable {
        /// See `RegistrationIndex.lineStamp`.
        let stamp: UInt64
        let held: HeldRegistration
    }
}

/// A view whose list is not joined yet: that takes milliseconds, and is done where nobody waits for it.
struct CatalogViewDraft: Sendable {
    var version: CatalogVersion?
    var readiness: Readiness
    var knownCurrent: ContinuousClock.Instant?
    var models: ListedModels
    var endpoints: HeldEndpoints
    var keys: HeldKeys
    var registrations: HeldRegistrations
    var aliases: HeldAliases
    /// See `CatalogView.modelStamp`.
    var modelStamp: UInt64

    /// `former`: the view whose list is taken over if it is the same.
    func view(after former: CatalogView?) -> CatalogView {
        if let former, former.models === models {
            return CatalogView(self, list: former.list, visible: former.visible)
        }
        let visible = VisibleModels(models)
        let list = visible.list()
        if let former, former.list.etag == list.etag {
            return CatalogView(self, list: former.list, visible: visible)
        }
        return CatalogView(self, list: list, visible: visible)
    }
}
