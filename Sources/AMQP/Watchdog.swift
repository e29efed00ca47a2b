import Glibc
import Synchronization
import Threads

/// Ends calls into librabbitmq that overrun their time: 0.11 can block for ever in a write to a peer that went silent.
///
/// One thread for the process. It shuts the socket down, and the call then returns with an error.
final class Watchdog: Sendable {
    static let shared = Watchdog()

    /// The calls of one connection, made one after another by one thread.
    final class Guard: Sendable {
        /// A duplicate: the library may close its own inside of a call, and its number then be given to another file.
        fileprivate let socket: Int32
        /// In nanoseconds since `epoch`; 0 where no call is under way.
        fileprivate let deadline = Atomic<UInt64>(0)
        fileprivate let epoch: ContinuousClock.Instant
        fileprivate let period: Duration
        private let limit: Duration

        fileprivate init(socket: Int32, limit: Duration, period: Duration, epoch: ContinuousClock.Instant) {
            self.socket = socket
            self.limit = limit
            self.period = period
            self.epoch = epoch
        }

        deinit { close(socket) }

        /// Makes `call`, which ends at the latest the limit and one period from now.
        func during<Value>(_ call: () -> Value) -> Value {
            deadline.store(Watchdog.nanoseconds(epoch.duration(to: .now) + limit), ordering: .releasing)
            defer { deadline.store(0, ordering: .releasing) }
            return call()
        }
    }

    private let guards = Mutex<[ObjectIdentifier: Guard]>([:])
    private let wakeup = Wakeup()
    private let epoch = ContinuousClock.now

    private init() {
        _ = OwnedThread(name: "amqp-watchdog") { Watchdog.shared.watch() }
    }

    /// Begins to watch over a connection. Returns nil where no descriptor is left for it.
    func add(socket: Int32, limit: Duration, period: Duration) -> Guard? {
        let duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        if duplicate < 0 { return nil }
        let added = Guard(socket: duplicate, limit: limit, period: period, epoch: epoch)
        guards.withLock { $0[ObjectIdentifier(added)] = added }
        wakeup.signal()
        return added
    }

    func remove(_ removed: Guard) {
        guards.withLock { $0[ObjectIdentifier(removed)] = nil }
    }

    private func watch() {
        while true {
            let now = Self.nanoseconds(epoch.duration(to: .now))
            let period = guards.withLock { guards -> Duration? in
                for watched in guards.values {
                    let deadline = watched.deadline.load(ordering: .acquiring)
                    if deadline != 0, deadline <= now { shutdown(watched.socket, Int32(SHUT_RDWR)) }
                }
                return guards.values.map(\.period).min()
            }
            wakeup.wait(until: period.map { .now + $0 })
        }
    }

    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
