import Catalog
import Synchronization

/// What one poller knows of the others and of its own place; shared by its services.
final class Fleet: Sendable {
    /// This poller's id: 8 hex digits, new at each start.
    let poller: String
    private let clock: PollerClock
    private let startedAt: Duration
    private let presence = Mutex(PollerPresence())
    private let lastTick = Mutex<Duration?>(nil)

    /// Ticks come each second; a scheduler that has had none for this long is none any more.
    private static let termOfOffice = Duration.seconds(3)

    init(poller: String, clock: PollerClock) {
        self.poller = poller
        self.clock = clock
        startedAt = clock.monotonic()
    }

    static func randomID() -> String {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    func saw(_ poller: String) { presence.withLock { $0.see(poller, now: clock.monotonic()) } }

    /// How many pollers have reported within the last minute.
    var count: Int { presence.withLock { $0.count(now: clock.monotonic()) } }

    /// Another poller has reported within the last minute, or this one has not been there for long enough to say.
    var mayHaveOthers: Bool {
        let now = clock.monotonic()
        if now - startedAt <= PollerPresence.window { return true }
        return presence.withLock { $0.hasOthers(than: poller, now: now) }
    }

    func tookTick() { lastTick.withLock { $0 = clock.monotonic() } }

    /// The ticks come here: this poller is the scheduler.
    var isScheduler: Bool {
        lastTick.withLock { tick in
            guard let tick else { return false }
            return clock.monotonic() - tick < Self.termOfOffice
        }
    }
}
