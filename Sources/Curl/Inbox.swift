internal import Synchronization
internal import Threads

/// What the loop's thread is asked to do, from any thread.
final class Inbox: Sendable {
    enum Command: Sendable {
        case start(Exchange)
        case cancel(Exchange)
        /// The consumer took what was buffered.
        case resumeReceiving(Exchange)
        /// So many connections are to be kept from now on.
        case keepConnections(Int)
    }

    private struct State: Sendable {
        var commands: [Command] = []
        var isClosed = false
        /// Set when the loop is about to sleep, taken back by who wakes it: one wake-up for many commands.
        var isAsleep = false

        /// Whether the loop's thread has to be woken.
        mutating func wake() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    let wakeup = Wakeup()
    private let state = Mutex(State())

    /// False when the client is shut down; the command is then dropped.
    func submit(_ command: Command) -> Bool {
        let (isTaken, isAsleep) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            return (true, state.wake())
        }
        // Outside of the lock: the loop takes it first thing, often before this thread goes on.
        if isAsleep { wakeup.signal() }
        return isTaken
    }

    /// Takes no more commands, and lets the loop end.
    func close() {
        let isAsleep = state.withLock { state in
            state.isClosed = true
            return state.wake()
        }
        if isAsleep { wakeup.signal() }
    }

    /// For the loop: everything that came since the last call, and whether the end was asked for.
    func drain() -> (commands: [Command], isClosed: Bool) {
        state.withLock { state in
            let commands = state.commands
            state.commands = []
            return (commands, state.isClosed)
        }
    }

    /// For the loop: calls `sleep`, with whether it may wait: not when something has come, and until something comes.
    func sleep(_ sleep: (Bool) -> Void) {
        let mayWait = state.withLock { state in
            state.isAsleep = state.commands.isEmpty && !state.isClosed
            return state.isAsleep
        }
        sleep(mayWait)
        if mayWait { state.withLock { $0.isAsleep = false } }
    }
}
