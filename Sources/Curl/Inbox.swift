internal import CCurl
internal import Synchronization

/// What the loop's thread is asked to do, from any thread.
final class Inbox: Sendable {
    enum Command: Sendable {
        case start(Exchange)
        case cancel(Exchange)
        /// The consumer took what was buffered.
        case resumeReceiving(Exchange)
        /// The request's body has bytes again, or ended.
        case resumeSending(Exchange)
    }

    /// `curl_multi_wakeup` is the one call that libcurl allows from any thread (its manual page says so). What must not
    /// happen is a call after `curl_multi_cleanup`: the pointer is used under the inbox's lock only, and taken away
    /// under that lock before the cleanup.
    private struct Waker: @unchecked Sendable {
        let multi: UnsafeMutableRawPointer
        func wake() { curl_multi_wakeup(multi) }
    }

    private struct State: Sendable {
        var commands: [Command] = []
        var isClosed = false
        /// Set when the loop is about to sleep, taken away by who wakes it: one wake-up for many commands.
        var sleeper: Waker?

        mutating func wake() {
            sleeper.take()?.wake()
        }
    }

    private let state = Mutex(State())

    /// False when the client is shut down; the command is then dropped.
    func submit(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            state.wake()
            return true
        }
    }

    /// Takes no more commands, and lets the loop end.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.wake()
        }
    }

    /// For the loop: everything that came since the last call, and whether the end was asked for.
    func drain() -> (commands: [Command], isClosed: Bool) {
        state.withLock { state in
            let commands = state.commands
            state.commands = []
            return (commands, state.isClosed)
        }
    }

    /// For the loop: calls `sleep` with wake-ups armed, unless something came.
    func sleep(on multi: UnsafeMutableRawPointer, _ sleep: () -> Void) {
        let waker = Waker(multi: multi)
        let isIdle = state.withLock { state in
            guard state.commands.isEmpty, !state.isClosed else { return false }
            state.sleeper = waker
            return true
        }
        guard isIdle else { return }
        sleep()
        state.withLock { $0.sleeper = nil }
    }
}
