import Synchronization
public import UnixSignals

/// How a process has been asked to stop; set before its services hear of it.
public final class StopRequest: Sendable {
    private let first = Mutex<UnixSignal?>(nil)

    public init() {}

    /// nil as long as no signal has come.
    public var signal: UnixSignal? { first.withLock { $0 } }

    /// A person at a terminal has pressed Ctrl-C, and waits.
    public var isInteractive: Bool { signal == .sigint }

    /// False where one had come already: whoever asks again wants it to end at once.
    func note(_ signal: UnixSignal) -> Bool {
        first.withLock { first in
            guard first == nil else { return false }
            first = signal
            return true
        }
    }
}
