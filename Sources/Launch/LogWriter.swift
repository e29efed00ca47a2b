import Dispatch
import Glibc
import Synchronization

/// Writes log lines on a thread of its own. Event loops log, and must not wait for the reader of the log: a pipe whose
/// reader stands still takes 64 KiB and then blocks every `write`.
///
/// Lines are written whole, one by one, in the order in which they came. What the process leaves unwritten at its end is
/// bounded by `flush` and by the signal handler of `flushWhenCrashing`. Lost are the lines that wait when the process is
/// killed (SIGKILL, out of memory), or when nobody reads them for `flush`'s limit.
final class LogWriter: Sendable {
    static let standardError = LogWriter(write: LineLogHandler.writeToStandardError)

    /// Beside the queue, since the handler of a crash may take no lock.
    private let busy = Atomic(false)
    private let queue: Mutex<LogQueue>
    private let thread = DispatchQueue(label: "rollcall.log")
    private let write: @Sendable (String) -> Void

    init(queue: sending LogQueue = LogQueue(), write: @escaping @Sendable (String) -> Void) {
        self.queue = Mutex(queue)
        self.write = write
    }

    /// True from the moment a line comes until all are written.
    var isBusy: Bool { busy.load(ordering: .acquiring) }

    /// Never waits for the reader of the log.
    ///
    /// - Parameter notice: makes the line that says how many lines were dropped, if this one is
    func append(_ line: String, notice: @escaping @Sendable (Int) -> String) {
        let isFirst = queue.withLock { queue in
            busy.store(true, ordering: .releasing)
            return queue.append(line, notice: notice)
        }
        if isFirst { thread.async { self.writeAll() } }
    }

    private func writeAll() {
        while let line = next() { write(line) }
    }

    private func next() -> String? {
        queue.withLock { queue in
            let line = queue.next()
            if line == nil { busy.store(false, ordering: .releasing) }
            return line
        }
    }

    /// Returns when every line that came before is written, or after `limit`.
    func flush(within limit: DispatchTimeInterval) {
        let end = DispatchSemaphore(value: 0)
        thread.async { end.signal() }
        _ = end.wait(timeout: .now() + limit)
    }
}

// MARK: The end of the process

extension LogWriter {
    /// How long the end of the process waits for the reader of the log.
    static let lastFlush = DispatchTimeInterval.seconds(1)

    /// From now on the end of this process, by `exit` or by a crash, waits for the log, though not for long.
    static func flushAtTheEnd() {
        atexit { LogWriter.standardError.flush(within: LogWriter.lastFlush) }
        // What Swift's failed preconditions (SIGILL, SIGTRAP), `abort`, and bad addresses raise.
        for signal in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = waitForTheLog
            action.sa_flags = SA_ONSTACK
            sigaction(signal, &action, previousActions + Int(signal))
        }
    }
}

/// By signal: what was there before, such as the handler of Swift's backtraces.
///
/// `nonisolated(unsafe)`: only `flushAtTheEnd` writes it, which a process calls once when it starts; handlers read it.
private nonisolated(unsafe) let previousActions = {
    let actions = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)
    actions.initialize(repeating: sigaction(), count: 65)
    return actions
}()

/// The handler of a crash. The other threads go on, so the log's thread can write what waits. Calls only functions that
/// are safe in a signal handler (signal-safety(7)).
private func waitForTheLog(_ signal: Int32) {
    var looks = 50
    while LogWriter.standardError.isBusy, looks > 0 {
        var pause = timespec(tv_sec: 0, tv_nsec: 10_000_000)
        nanosleep(&pause, nil)
        looks -= 1
    }
    // The signal comes again when this handler returns, to whoever had it before.
    sigaction(signal, previousActions + Int(signal), nil)
    raise(signal)
}
