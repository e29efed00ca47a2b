import Dispatch
import Glibc
import Synchronization

/// Ctrl-C: does what is left to do, such as to say how to go on, and ends the process.
final class Interruption: Sendable {
    private let console: Console?
    private let farewell = Mutex<(@Sendable () -> Void)?>(nil)
    private let substitute = Mutex<(@Sendable () -> Void)?>(nil)
    private let source: Mutex<(any DispatchSourceSignal)?>

    /// - Parameter console: nil leaves the signal as it is
    init(console: Console?) {
        self.console = console
        source = Mutex(nil)
        guard console != nil else { return }
        // The source sees the signal only where its default, ending the process, is off.
        signal(SIGINT, SIG_IGN)
        source.withLock { source in
            let made = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
            made.setEventHandler { [weak self] in
                if let substitute = self?.substitute.withLock({ $0 }) { return substitute() }
                self?.farewell.withLock { $0 }?()
                exit(ExitReason.interrupted.rawValue)
            }
            made.resume()
            source = made
        }
    }

    /// What is done from now on; nil for nothing.
    func setFarewell(_ action: (@Sendable () -> Void)?) { farewell.withLock { $0 = action } }

    /// From now on Ctrl-C calls `action` and does not end the process. If `action` is nil, it ends the process.
    func setSubstitute(_ action: (@Sendable () -> Void)?) { substitute.withLock { $0 = action } }

    /// What is said from now on; nil for nothing.
    func setHint(_ text: String?) {
        guard let text else { return setFarewell(nil) }
        setFarewell { [console] in console?.note("\n" + text) }
    }

    func end() { source.withLock { $0?.cancel() } }
}
