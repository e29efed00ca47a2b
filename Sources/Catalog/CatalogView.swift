/// One immutable state of the catalog: what event loops read, without a lock.
///
/// Views share the parts that did not change between them.
public final class CatalogView: Sendable {
    /// nil before the first checkpoint.
    public let version: CatalogVersion?
    public let readiness: Readiness
    /// When the catalog was last known to be current; nil if it never was.
    public let knownCurrent: ContinuousClock.Instant?
    /// `/v1/models`, encoded.
    public let list: ModelList
    /// The models of the list.
    public let visible: VisibleModels
    /// Another number as soon as a model, an endpoint that lists it, or a name by which it is found changes. No two views of a
    /// process have a number in common that stands for different models.
    public let modelStamp: UInt64

    let models: ListedModels
    let endpoints: HeldEndpoints
    let keys: HeldKeys
    let registrations: HeldRegistrations
    let aliases: HeldAliases

    init(_ draft: CatalogViewDraft, list: ModelList, visible: VisibleModels) {
        version = draft.version
        readiness = draft.readiness
        knownCurrent = draft.knownCurrent
        models = draft.models
        endpoints = draft.endpoints
        keys = draft.keys
        registrations = draft.registrations
        aliases = draft.aliases
        modelStamp = draft.modelStamp
        self.list = list
        self.visible = visible
    }

    /// Time since the catalog was last known to be current; nil if it never was.
    public func age(at now: ContinuousClock.Instant) -> Duration? {
        knownCurrent.map { max(.zero, $0.duration(to: now)) }
    }

    /// One line of the list; nil if the list has no such model. If no endpoint lists the id itself, an Ollama model
    /// `id:latest` is found by it, or else a model that has the id as an alias.
    public func model(_ id: ModelID) -> ListedModel? {
        if let model = models.find(id.value) { return model.isListed ? model : nil }
        return impliedHolders(id.value).first { $0.endpoint.state.isUsable }.flatMap { models.find($0.model.value) }
    }

    /// The key whose SHA-256 in hex is `digest`, and the models that it is for (nil: all); nil if there is none or it has
    /// been revoked. The caller, who has a clock, checks whether it has expired.
    public func key(digest: String) -> (record: KeyRecord, models: ModelPatterns?)? {
        guard let slot = keys.slots[digest], let record = slot.record else { return nil }
        return (record, slot.patterns)
    }

    /// The endpoints that a request for `model` could be sent to.
    ///
    /// First, in the order of their names and in any state, the endpoints whose last good list has exactly this id. If
    /// there are none, the Ollama endpoints that list `model:latest`, and those that have `model` as an alias. Then, if `model` (with ASCII letters in any case)
    /// names a registration, the online and degraded endpoints that list a model of it. Each endpoint is there once.
    public func holders(of model: String) -> ModelHolders {
        let exact = models.find(model)
        var holders = exact.map { listed in listed.members.compactMap { holder($0, listed) } } ?? impliedHolders(model)
        guard let registration = registrations.find(model) else {
            return ModelHolders(holders: holders, isRegistered: false)
        }
        // Mostly a registration names one model, the one that was asked for.
        if registration.models.count == 1, registration.models[0] === exact {
            return ModelHolders(holders: holders, isRegistered: true)
        }
        var seen = Set(holders.map { ObjectIdentifier($0.endpoint) })
        for listed in registration.models {
            for member in listed.members {
                guard let holder = holder(member, listed), holder.endpoint.state.isUsable,
                    seen.insert(ObjectIdentifier(holder.endpoint)).inserted
                else { continue }
                holders.append(holder)
            }
        }
        return ModelHolders(holders: holders, isRegistered: true)
    }

    /// Whether there is any endpoint, in whatever state.
    public var hasEndpoints: Bool { endpoints.slots.contains { $0 != nil } }

    /// The online and degraded endpoints, whatever models they have.
    public var usableEndpoints: [HeldEndpoint] {
        endpoints.slots.compactMap { $0.flatMap { $0.state.isUsable ? $0 : nil } }
    }

    /// The part of the list that `patterns` match, made anew with each call: keep it as long as the list has that ETag.
    public func list(of patterns: ModelPatterns) -> ModelListPart {
        let models = visible.matching { model in
            patterns.match(model.id) || otherNames(of: model.id).contains(where: patterns.match)
        }
        return ModelListPart(models: models)
    }

    /// The tag that Ollama adds to a model's name if the user gives none.
    static let latest: StaticString = ":latest"

    /// The endpoints that are meant by a name that no endpoint lists.
    func impliedHolders(_ name: String) -> [ModelHolder] {
        latestHolders(name)
            + aliases.holders(of: name).compactMap { alias in
                self[alias.member].map { ModelHolder(endpoint: $0, model: alias.model) }
            }
    }

    private func latestHolders(_ model: String) -> [ModelHolder] {
        guard let listed = models.find(model, suffix: Self.latest) else { return [] }
        return listed.members.compactMap { holder($0, listed) }.filter(\.endpoint.isOllama)
    }

    private func holder(_ member: Int32, _ listed: ListedModel) -> ModelHolder? {
        self[member].map { ModelHolder(endpoint: $0, model: listed.id) }
    }

    private subscript(member: Int32) -> HeldEndpoint? { endpoints.slots[Int(member)] }
}

/// The endpoints that have a model, which is found by its id or by the name of its registration.
public struct ModelHolders: Sendable {
    public var holders: [ModelHolder]
    /// The model's string names a registration.
    public var isRegistered: Bool

    public init(holders: [ModelHolder], isRegistered: Bool) {
        self.holders = holders
        self.isRegistered = isRegistered
    }
}

/// A live endpoint whose last good list has a model.
public struct ModelHolder: Sendable {
    public var endpoint: HeldEndpoint
    /// The id under which the endpoint lists it.
    public var model: ModelID

    public init(endpoint: HeldEndpoint, model: ModelID) {
        self.endpoint = endpoint
        self.model = model
    }
}

/// A live endpoint. A new object takes its place if its record, its state, or its kind changes, and only then.
public final class HeldEndpoint: Sendable {
    public let record: EndpointRecord
    public let state: EndpointState
    /// As a poll found it out; nil if none of the record's generation has.
    public let kind: EndpointKind?

    public init(record: EndpointRecord, state: EndpointState, kind: EndpointKind? = nil) {
        self.record = record
        self.state = state
        self.kind = kind
    }

    var isOllama: Bool { kind == .ollama }
}

/// Single fields of the record. A module that reads `record` to get one of them copies the whole record.
extension HeldEndpoint {
    public var id: String { record.id }
    public var name: String { record.name }
    public var revision: Int64 { record.revision }
    public var maxConcurrency: Int? { record.maxConcurrency }
    public var isDraining: Bool { record.draining }
}

/// The endpoints by their slots in the catalog.
final class HeldEndpoints: Sendable {
    let slots: [HeldEndpoint?]

    init(_ slots: [HeldEndpoint?]) { self.slots = slots }
}

/// The keys that have not been revoked, by digest.
final class HeldKeys: Sendable {
    let slots: [String: KeySlot]

    init(_ slots: [String: KeySlot]) { self.slots = slots }
}

/// A registration, and what endpoints list of it.
final class HeldRegistration: Sendable {
    let name: String
    /// The best match first.
    let models: [ListedModel]

    init(name: String, models: [ListedModel]) {
        self.name = name
        self.models = models
    }
}

/// The registrations, sorted by name.
final class HeldRegistrations: Sendable {
    let entries: [HeldRegistration]

    init(_ entries: [HeldRegistration]) { self.entries = entries }

    /// The registration of this name, with ASCII letters in any case.
    func find(_ name: String) -> HeldRegistration? {
        guard !entries.isEmpty else { return nil }
        var name = name
        return name.withUTF8 { wanted in
            entries.binarySearch { ByteOrder.compare($0.name, withLowercased: wanted) }
        }
    }
}
