import Catalog
import Synchronization

/// What one poller knows of the others and of its own place; shared by its services.
final class Fleet: Sendable {
    /// This poller's id: 8 hex digits, new at each start.
    let poller: String
    private let clock: PollerClock
    private let startedAt: Duration
    private let presence = Mutex(PollerPresence())
    private let sightings = Mutex<[String: Duration]>([:])
    private let lastTick = Mutex<Duration?>(nil)

    /// Gateways say it each 5 s at most, and a poll that fails then has begun some seconds before.
    private static let sightingLasts = Duration.seconds(15)

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

    /// A poller has said whether it is cut off from the endpoints.
    func saw(_ poller: String, isCutOff: Bool) {
        presence.withLock { $0.see(poller, isCutOff: isCutOff, now: clock.monotonic()) }
    }

    /// How many pollers have reported within the last minute and are not cut off.
    var count: Int { presence.withLock { $0.count(now: clock.monotonic()) } }

    /// Another poller that reaches endpoints has reported within the last minute. If none has reported at all, this one
    /// must have been there for a minute to say so.
    ///
    /// If all others say that they are cut off, as this one may be, it is the endpoints that are away.
    var mayHaveOthers: Bool {
        let now = clock.monotonic()
        return presence.withLock { presence in
            guard presence.hasOthers(than: poller, now: now) else { return now - startedAt <= PollerPresence.window }
            return presence.hasOthers(than: poller, reaching: true, now: now)
        }
    }

    /// A gateway is getting bytes from an endpoint.
    func sawAlive(_ endpoint: String) {
        let now = clock.monotonic()
        sightings.withLock { sightings in
            if sightings.count >= 256 { sightings = sightings.filter { now - $0.value <= Self.sightingLasts } }
            sightings[endpoint] = now
        }
    }

    /// A gateway has got bytes from an endpoint lately.
    func isAlive(_ endpoint: String) -> Bool {
        let now = clock.monotonic()
        return sightings.withLock { $0[endpoint].map { now - $0 <= Self.sightingLasts } ?? false }
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
