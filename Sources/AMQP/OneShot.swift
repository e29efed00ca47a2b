import Synchronization

/// A value that is given once and may be awaited by any number of tasks, each of which may be cancelled.
final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [Int: CheckedContinuation<Value, Never>] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Returns whether this was the first value; others are ignored.
    @discardableResult
    func resolve(_ value: Value) -> Bool {
        let waiters: [CheckedContinuation<Value, Never>]? = state.withLock { state in
            guard state.value == nil else { return nil }
            state.value = value
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume(returning: value) }
        return true
    }

    var current: Value? { state.withLock(\.value) }

    /// The value, or `cancelled` where the task that waits is cancelled first.
    func value(ifCancelled cancelled: Value) async -> Value {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Value? = state.withLock { state in
                    if let value = state.value { return value }
                    // The handler may have run already, and found nobody.
                    if Task.isCancelled { return cancelled }
                    state.waiters[waiter] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter) }
            continuation?.resume(returning: cancelled)
        }
    }
}
