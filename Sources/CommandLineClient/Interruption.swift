import Dispatch
import Glibc
import Synchronization

/// Ctrl-C: says how to go on, where there is something to go on with, and ends the process.
final class Interruption: Sendable {
    private let hint = Mutex<String?>(nil)
    private let source: Mutex<(any DispatchSourceSignal)?>

    /// - Parameter console: nil leaves the signal as it is
    init(console: Console?) {
        source = Mutex(nil)
        guard let console else { return }
        // The source sees the signal only where its default, ending the process, is off.
        signal(SIGINT, SIG_IGN)
        source.withLock { source in
            let made = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
            made.setEventHandler { [weak self] in
                if let hint = self?.hint.withLock({ $0 }) { console.note("\n" + hint) }
                exit(ExitReason.interrupted.rawValue)
            }
            made.resume()
            source = made
        }
    }

    /// What is said from now on; nil for nothing.
    func setHint(_ text: String?) { hint.withLock { $0 = text } }

    func end() { source.withLock { $0?.cancel() } }
}
