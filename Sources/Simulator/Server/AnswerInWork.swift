import Synchronization

/// An answer from its request until its end, and whether its client is still there.
final class AnswerInWork: Sendable {
    /// Thrown where the client has gone, or the simulator stops.
    struct Ended: Error {}

    enum Ending: Sendable { case completed, closedByClient }

    private struct State {
        var isOpen = true
        var pause: Task<Void, any Error>?
    }

    private let state = Mutex(State())
    private let onEnd: @Sendable (Ending) -> Void

    /// - Parameter onEnd: called once
    init(onEnd: @escaping @Sendable (Ending) -> Void) { self.onEnd = onEnd }

    /// The first ending counts.
    func end(_ ending: Ending) {
        let wasOpen = state.withLock { state in
            state.pause?.cancel()
            defer { state.isOpen = false }
            return state.isOpen
        }
        if wasOpen { onEnd(ending) }
    }

    func checkOpen() throws(Ended) {
        guard state.withLock({ $0.isOpen }) else { throw Ended() }
    }

    /// Sleeps, and throws at once when the answer ends meanwhile.
    func pause(for duration: Duration) async throws {
        let pause = Task { try await Task.sleep(for: duration) }
        state.withLock { state in
            if state.isOpen { state.pause = pause } else { pause.cancel() }
        }
        do {
            try await withTaskCancellationHandler {
                try await pause.value
            } onCancel: {
                pause.cancel()
            }
        } catch is CancellationError {
            throw Ended()
        }
    }
}
