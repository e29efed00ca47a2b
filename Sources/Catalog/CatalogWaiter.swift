import Synchronization

/// One call of `CatalogFollower.wait`: resumed once, by a value, by its timeout, or by the end of the follower.
final class CatalogWaiter<Value: Sendable>: Sendable {
    private enum State {
        case created
        case waiting(CheckedContinuation<Value?, Never>)
        case over(Value?)
    }

    private let state = Mutex(State.created)

    /// Does nothing from the second call on.
    func finish(_ value: Value?) {
        let continuation: CheckedContinuation<Value?, Never>? = state.withLock { state in
            switch state {
            case .over: return nil
            case .created:
                state = .over(value)
                return nil
            case .waiting(let continuation):
                state = .over(value)
                return continuation
            }
        }
        continuation?.resume(returning: value)
    }

    /// Call once.
    func value() async -> Value? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Value?? = state.withLock { state in
                    if case .over(let value) = state { return .some(value) }
                    state = .waiting(continuation)
                    return .none
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            finish(nil)
        }
    }
}
