internal import CCurl
internal import Glibc
internal import Synchronization

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

        /// Whether the doorbell has to be rung.
        mutating func wake() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    let doorbell = Doorbell()
    private let state = Mutex(State())

    /// False when the client is shut down; the command is then dropped.
    func submit(_ command: Command) -> Bool {
        let (isTaken, isAsleep) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            return (true, state.wake())
        }
        // Outside of the lock: the loop takes it first thing, often before this thread goes on.
        if isAsleep { doorbell.ring() }
        return isTaken
    }

    /// Takes no more commands, and lets the loop end.
    func close() {
        let isAsleep = state.withLock { state in
            state.isClosed = true
            return state.wake()
        }
        if isAsleep { doorbell.ring() }
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

/// An eventfd: wakes the loop's thread from any other.
final class Doorbell: Sendable {
    let descriptor: Int32

    init() {
        descriptor = rollcall_eventfd()
        // Only for want of descriptors or memory, at a start: nothing could work without it.
        precondition(descriptor >= 0, "eventfd failed")
    }

    deinit { close(descriptor) }

    func ring() {
        // A full counter (EAGAIN) rings too, so the result tells nothing.
        _ = eventfd_write(descriptor, 1)
    }

    func silence() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }
}
