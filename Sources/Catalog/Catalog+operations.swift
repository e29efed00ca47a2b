extension Catalog {
    mutating func apply(_ operation: Operation, _ effects: inout EffectLog) {
        var operation = operation
        // One of an earlier version says at most the revision of its change: without one it counts as new.
        let sequence = operation.sequence ?? operation.revision ?? highestRevision
        operation.sequence = sequence
        highestRevision = max(highestRevision, sequence, operation.revision ?? 0)
        if operations.put(operation, at: highestRevision) { effects.note(.operationChanged(id: operation.id)) }
    }

    /// nil also once it is forgotten, see `Operation.keptRevisions`.
    public func operation(id: String) -> Operation? { operations.operation(id, at: highestRevision) }

    /// Sorted by id; for each the pending state, where there is one, and then the final one.
    var allOperations: [Operation] { operations.all(at: highestRevision) }
}

extension Operation {
    /// An operation is forgotten once the registry has moved on by so many revisions. Dates have no part in that: a clock
    /// that was once wrong would hide every outcome until its time has come.
    public static let keptRevisions: Int64 = 10_000

    /// Nothing will change it any more.
    public var isFinal: Bool { state != .pending }

    fileprivate func isForgotten(at revision: Int64) -> Bool { (sequence ?? 0) < revision - Self.keptRevisions }

    /// Whether this state is to be kept rather than `held`; both are pending, or both are final.
    ///
    /// The date only orders the steps of one command, which one registrar writes.
    fileprivate func supersedes(_ held: Operation?) -> Bool {
        guard let held else { return true }
        if sequence != held.sequence { return (sequence ?? 0) > (held.sequence ?? 0) }
        if at != held.at { return at > held.at }
        return self != held && CanonicalBytes.precedes(held, self)
    }
}

/// The operations of the last revisions: two registers for each, so that the order in which states come does not matter.
struct OperationShelf: Sendable {
    private struct Slot: Sendable {
        var pending: Operation?
        var final: Operation?
    }

    private var held: [String: Slot] = [:]
    private var sweptAt: Int64 = 0

    init() {}

    /// As an image holds them.
    init(_ operations: [Operation]) {
        for operation in operations {
            if operation.isFinal {
                held[operation.id, default: Slot()].final = operation
            } else {
                held[operation.id, default: Slot()].pending = operation
            }
        }
    }

    func operation(_ id: String, at revision: Int64) -> Operation? {
        guard let slot = held[id] else { return nil }
        return [slot.final, slot.pending].lazy.compactMap(\.self).first { !$0.isForgotten(at: revision) }
    }

    func all(at revision: Int64) -> [Operation] {
        held.sorted { ByteOrder.precedes($0.key, $1.key) }.flatMap { _, slot in
            [slot.pending, slot.final].compactMap(\.self).filter { !$0.isForgotten(at: revision) }
        }
    }

    /// Returns whether it is the state that counts now.
    mutating func put(_ operation: Operation, at revision: Int64) -> Bool {
        sweep(at: revision)
        guard !operation.isForgotten(at: revision) else { return false }
        let slot = held[operation.id] ?? Slot()
        guard operation.supersedes(operation.isFinal ? slot.final : slot.pending) else { return false }
        if operation.isFinal {
            held[operation.id, default: slot].final = operation
        } else {
            held[operation.id, default: slot].pending = operation
        }
        return operation.isFinal || slot.final == nil
    }

    /// Gives back the memory of forgotten operations from time to time. Look-ups leave them out at once.
    private mutating func sweep(at revision: Int64) {
        guard revision - sweptAt >= Operation.keptRevisions / 10 else { return }
        sweptAt = revision
        held = held.compactMapValues { slot in
            let rest = Slot(
                pending: slot.pending.flatMap { $0.isForgotten(at: revision) ? nil : $0 },
                final: slot.final.flatMap { $0.isForgotten(at: revision) ? nil : $0 })
            return rest.pending == nil && rest.final == nil ? nil : rest
        }
    }
}
