import Synchronization

/// How many transfers run at once; the others wait in their order. Cancelling a task that waits takes it out.
final class TransferSlots: Sendable {
    private struct State {
        var count: Int
        /// Negative where there are fewer slots than before, and more are taken.
        var free: Int
        var nextTicket = 0
        /// In the order of their tickets.
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let state: Mutex<State>

    init(count: Int) {
        precondition(count > 0)
        state = Mutex(State(count: count, free: count))
    }

    /// From now on `count` run at once.
    func setCount(_ count: Int) {
        precondition(count > 0)
        let next = state.withLock { state in
            state.free += count - state.count
            state.count = count
            let taken = state.waiting.prefix(max(0, state.free))
            state.free -= taken.count
            state.waiting.removeFirst(taken.count)
            return taken
        }
        for waiting in next { waiting.continuation.resume(returning: true) }
    }

    var freeCount: Int { state.withLock { $0.free } }
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` with a slot.
    ///
    /// - Throws: `CancellationError` where the task is cancelled before it gets one, and what `body` throws.
    func run<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        guard await acquire() else { throw CancellationError() }
        defer { release() }
        return try await body()
    }

    /// Takes a slot, which `release` gives back; false where the task is cancelled before it gets one.
    func acquire() async -> Bool {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        // A cancellation that comes just after a slot was given leaves its mark.
        defer { state.withLock { _ = $0.cancelled.remove(ticket) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: Bool? = state.withLock { state in
                    if state.cancelled.remove(ticket) != nil { return false }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append((ticket, continuation))
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                    state.cancelled.insert(ticket)
                    return nil
                }
                return state.waiting.remove(at: index).continuation
            }
            waiting?.resume(returning: false)
        }
    }

    func release() {
        let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.waiting.isEmpty, state.free >= 0 else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
