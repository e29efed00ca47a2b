/// A live endpoint whose last good list has a model: what a request for that model could be sent to.
public struct ModelHolder: Sendable, Hashable {
    public var record: EndpointRecord
    public var state: EndpointState
    /// The id under which the endpoint lists it.
    public var model: ModelID
}

extension Catalog {
    /// The endpoints that list exactly `id`, in any state, sorted by name.
    public func holders(of id: ModelID) -> [ModelHolder] {
        list.members(listing: id).compactMap { holder(slots[$0], id) }
    }

    /// The online and degraded endpoints that list the model registered as `name` (in any case of ASCII letters), one
    /// that lists it under two ids twice; nil where there is no such registration.
    public func holders(ofRegistration name: String) -> [ModelHolder]? {
        let name = ASCIIFolding.lowercased(name)
        guard registrationSlots[name]?.record != nil else { return nil }
        return list.holders(of: name).compactMap { holder(slots[$0.member], $0.model) }
    }

    private func holder(_ slot: EndpointSlot, _ model: ModelID) -> ModelHolder? {
        slot.record.map { ModelHolder(record: $0, state: slot.visibleHealth?.state ?? .pending, model: model) }
    }
}
