extension Catalog {
    mutating func apply(_ operation: Operation, _ effects: inout EffectLog) {
        highestRevision = max(highestRevision, operation.revision ?? 0)
        if operations.put(operation) { effects.note(.operationChanged(id: operation.id)) }
    }
}

extension Operation {
    /// Nothing will change it any more.
    public var isFinal: Bool { state != .pending }

    /// Whether this state is to be kept rather than `held`: a final one before a pending one, then the later one.
    fileprivate func supersedes(_ held: Operation?) -> Bool {
        guard let held else { return true }
        if isFinal != held.isFinal { return isFinal }
        if at != held.at { return at > held.at }
        return self != held && CanonicalBytes.precedes(held, self)
    }
}

/// The operations of the last hour, by the greatest time stamp that any message of the registry's side has carried:
/// the catalog has no clock of its own.
struct OperationShelf: Sendable {
    /// Milliseconds.
    static let lifetime: Int64 = 3_600_000

    private var held: [String: Operation] = [:]
    private var now: Int64 = 0
    private var sweptAt: Int64 = 0

    subscript(id: String) -> Operation? {
        guard let operation = held[id], !isOver(operation) else { return nil }
        return operation
    }

    /// Sorted by id.
    var all: [Operation] {
        held.values.filter { !isOver($0) }.sorted { ByteOrder.precedes($0.id, $1.id) }
    }

    /// Returns whether it is the state that counts now.
    mutating func put(_ operation: Operation) -> Bool {
        // A pending one may be dated by a gateway, whose clock is nobody else's measure.
        if operation.isFinal { advance(to: operation.at) }
        guard !isOver(operation), operation.supersedes(self[operation.id]) else { return false }
        held[operation.id] = operation
        return true
    }

    /// `time`: milliseconds since 1970 by a sender's clock.
    mutating func advance(to time: Int64) {
        guard time > now else { return }
        now = time
        // Look-ups leave out what is over at once; the memory is given back every minute or so.
        guard now - sweptAt >= 60_000 else { return }
        sweptAt = now
        held = held.filter { !isOver($0.value) }
    }

    private func isOver(_ operation: Operation) -> Bool { operation.at < now - Self.lifetime }
}
