import Synchronization

/// What has to be stopped when a client goes away, or the gateway does: first the task that looks for an answer, then
/// the answer.
final class InferenceSession: Sendable {
    enum End: Sendable, Hashable {
        case clientGone
        /// The gateway stops, and there was no more time.
        case stopping
    }

    private struct State {
        var end: End?
        var action: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let release: @Sendable () -> Void

    /// - Parameter release: called when nobody holds it any more
    init(release: @escaping @Sendable () -> Void = {}) { self.release = release }

    deinit { release() }

    /// Why it was cancelled; nil where it was not.
    var end: End? { state.withLock(\.end) }

    /// `action` takes the place of the one before; called at once where it has been cancelled already.
    func onCancel(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = state.withLock { state in
            if state.end == nil { state.action = action }
            return state.end != nil
        }
        if isCancelled { action() }
    }

    /// The first reason counts.
    func cancel(_ end: End = .clientGone) {
        let action = state.withLock { state in
            if state.end == nil { state.end = end }
            return state.action.take()
        }
        action?()
    }
}
