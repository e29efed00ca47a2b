/// All of a catalog that an image holds: everything but what follows from it.
///
/// A copy costs references only. It leaves out the merged list, so that a catalog that goes on beside this copy does not
/// have to copy its list.
public struct ImageSource: Sendable {
    var slots: [EndpointSlot]
    var registrations: [String: RegistrationSlot]
    var keys: [String: KeySlot]
    var checkpoint: HeldCheckpoint?
    /// Parts of checkpoints that are not complete yet, in a fixed order.
    var pendingParts: [CheckpointPart]
    var operations: OperationShelf
    var highestRevision: Int64
    var highestTick: Int64
}

extension Catalog {
    public var imageSource: ImageSource {
        ImageSource(
            slots: slots, registrations: registrationSlots, keys: keySlots, checkpoint: checkpoint,
            pendingParts: assembly.parts, operations: operations, highestRevision: highestRevision,
            highestTick: highestTick)
    }

    /// The catalog of an image that is complete up to `offset`.
    init(_ source: consuming ImageSource, appliedOffset offset: Int64) {
        self.init()
        appliedOffset = offset
        highestRevision = source.highestRevision
        highestTick = source.highestTick
        checkpoint = source.checkpoint
        operations = source.operations
        for part in source.pendingParts { _ = assembly.add(part) }
        keySlots = source.keys
        // Of keys with one digest the last one made counts.
        for (id, slot) in keySlots.sorted(by: { $0.value.revision < $1.value.revision }) {
            if let record = slot.record { keyOfDigest[record.digest] = id }
        }
        registrationSlots = source.registrations
        for (name, slot) in registrationSlots.sorted(by: { ByteOrder.precedes($0.key, $1.key) }) {
            if let record = slot.record { _ = list.register(name, RegistrationNames(record)) }
        }
        slots = source.slots
        slotOfID.reserveCapacity(slots.count)
        for (number, slot) in slots.enumerated() {
            slotOfID[slot.id] = number
            if let name = slot.record?.name { slotsOfName[name, default: []].append(number) }
        }
        fillList()
    }

    /// In the order of the endpoints' names: each endpoint then comes last in the lines of its models.
    private mutating func fillList() {
        let named = slots.indices.map { (name: slots[$0].record?.name ?? "", slot: $0) }
        for (name, slot) in named.sorted(by: { ByteOrder.precedes($0.name, $1.name) }) {
            guard let models = slots[slot].visibleModels else { continue }
            _ = list.replace(slot, name: name, isUsable: slots[slot].isUsable, models: models)
        }
    }
}
