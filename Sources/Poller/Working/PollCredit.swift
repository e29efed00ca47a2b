import Synchronization

/// Counts the polls in flight, and holds up the reader of jobs while there are as many as there may be.
///
/// A poll counts until its row is confirmed. So polls of endpoints that hang, and rows that the broker does not take, are
/// bounded alike.
final class PollCredit: Sendable {
    private struct State {
        var inFlight = 0
        /// The one reader of jobs, while it waits for room.
        var waiting: (count: Int, wake: CheckedContinuation<Bool, Never>)?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    var inFlight: Int { state.withLock { $0.inFlight } }

    /// Takes credit for a job, as soon as there is room for all of it. A job that is larger than the limit gets it if
    /// nothing else is in flight. Only one task may wait at a time.
    ///
    /// Returns false, and takes nothing, if the task is cancelled before there is room.
    func take(_ count: Int) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if takes(count, &state) { return true }
                    state.waiting = (count, continuation)
                    return false
                }
                if isThere { continuation.resume(returning: true) } else if Task.isCancelled { stopWaiting() }
            }
        } onCancel: {
            stopWaiting()
        }
    }

    func giveBack(_ count: Int) {
        let wake = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            state.inFlight -= count
            guard let waiting = state.waiting, takes(waiting.count, &state) else { return nil }
            state.waiting = nil
            return waiting.wake
        }
        wake?.resume(returning: true)
    }

    private func stopWaiting() { state.withLock { $0.waiting.take() }?.wake.resume(returning: false) }

    private func takes(_ count: Int, _ state: inout State) -> Bool {
        guard state.inFlight == 0 || state.inFlight + count <= limit else { return false }
        state.inFlight += count
        return true
    }
}
