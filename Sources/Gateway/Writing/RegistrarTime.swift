import Catalog
import Logging
import ServiceLifecycle
import Synchronization

/// The registrar's clock, as far as this gateway can tell: its own clock and the offset between the two.
///
/// The registrar judges the deadline of a command by its own clock. A gateway whose clock is 25 s slow would send only
/// commands that are over already; of one whose clock is fast, commands would be executed late.
final class RegistrarTime: Sendable {
    private struct State {
        /// Registrar's time minus own time in milliseconds, of the last messages.
        var offsets: [Int64] = []
        var isSkewed = false
        /// Nothing waits for the first message after this.
        var waitsUntil: ContinuousClock.Instant?
        var waiting: [AsyncStream<Void>.Continuation] = []
    }

    /// An odd number, so that one message that came late does not count.
    private static let kept = 3
    /// Milliseconds. More than this is reported.
    private static let tolerated: Int64 = 5000

    /// Milliseconds since 1970 by the gateway's own clock.
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let state = Mutex(State())

    init(clock: @escaping @Sendable () -> Int64, logger: Logger) {
        self.clock = clock
        self.logger = logger
    }

    /// Milliseconds since 1970 by the registrar's clock; by the gateway's own before the registrar has been heard.
    var now: Int64 { clock() + (state.withLock { Self.median($0.offsets) } ?? 0) }

    /// `now`, and before it up to `limit` for the first message of the registrar. Only the first writes of a process wait:
    /// where there is no registrar, or one of an earlier version, waiting again is of no use.
    func now(waiting limit: Duration) async -> Int64 {
        let (heard, continuation) = AsyncStream<Void>.makeStream()
        let until: ContinuousClock.Instant? = state.withLock { state in
            guard state.offsets.isEmpty else { return nil }
            let until = state.waitsUntil ?? .now + limit
            state.waitsUntil = until
            guard until > .now else { return nil }
            state.waiting.append(continuation)
            return until
        }
        guard let until else { return now }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in heard {} }
            // Cut short if the registrar is heard first.
            group.addTask { do { try await Task.sleep(until: until, clock: .continuous) } catch {} }
            await group.next()
            group.cancelAll()
        }
        return now
    }

    /// The registrar has said now that it is `time`: milliseconds since 1970.
    func heard(_ time: Int64) {
        let offset = time - clock()
        let (median, isNews, waiting) = state.withLock { state in
            state.offsets = state.offsets.suffix(Self.kept - 1) + [offset]
            let median = Self.median(state.offsets) ?? offset
            let isSkewed = abs(median) > Self.tolerated
            defer {
                state.isSkewed = isSkewed
                state.waiting = []
            }
            return (median, isSkewed && !state.isSkewed, state.waiting)
        }
        for continuation in waiting { continuation.finish() }
        guard isNews else { return }
        logger.warning(
            "The clocks of this gateway and of the registrar differ: set both by NTP",
            metadata: [LogKey.skew: "\(median)"])
    }

    private static func median(_ values: [Int64]) -> Int64? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}

/// Tells a `RegistrarTime` what the catalog stream says of the registrar's clock.
struct RegistrarTimeWatch: Service {
    let effects: AsyncStream<[CatalogEffect]>
    let time: RegistrarTime

    /// Until the follower stops, or graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await batch in effects {
                for case .registrarClock(let time) in batch { self.time.heard(time) }
            }
        }
    }
}
