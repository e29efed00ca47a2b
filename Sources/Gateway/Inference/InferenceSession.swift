import Synchronization

/// What has to be stopped when a client goes away: first the task that looks for an answer, then the answer.
final class InferenceSession: Sendable {
    private struct State {
        var isCancelled = false
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// `action` takes the place of the one before; called at once where the client is gone already.
    func onCancel(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.action = action }
            return state.isCancelled
        }
        if isCancelled { action() }
    }

    func cancel() {
        let action = state.withLock { state in
            state.isCancelled = true
            return state.action.take()
        }
        action?()
    }
}
