import AMQP
import Logging
import Synchronization

/// Waits for a database or a broker that is busy, full, or away, for as long as it takes; once the process has been
/// told to stop, for a few seconds more.
///
/// A delivery is held meanwhile. Giving it back would only count towards its delivery limit, and it would come again.
final class Patience: Sendable {
    /// What is in hand at a stop has this long, so that the whole process is gone within 10 s.
    static let afterStop = Duration.seconds(6)

    private let stoppedAt = Mutex<ContinuousClock.Instant?>(nil)
    private let pause: @Sendable (Duration) async throws -> Void
    private let logger: Logger

    /// - Parameter pause: how to wait, for tests.
    init(
        logger: Logger, pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.logger = logger
        self.pause = pause
    }

    /// From now on only what is in hand is finished.
    func stop() { stoppedAt.withLock { $0 = $0 ?? .now } }

    var isStopping: Bool { stoppedAt.withLock { $0 != nil } }

    private var isOver: Bool { stoppedAt.withLock { $0.map { ContinuousClock.now - $0 > Self.afterStop } ?? false } }

    /// Does `work` until it succeeds.
    ///
    /// - Throws: errors that do not go away by themselves, and `CancellationError` when the time after a stop is over.
    func until<T: Sendable>(_ name: String, _ work: @Sendable () async throws -> T) async throws -> T {
        var attempt = 0
        while true {
            do {
                return try await work()
            } catch {
                guard !Task.isCancelled, !isOver, !isTooLate(error) else { throw CancellationError() }
                guard Self.goesAway(error) else { throw error }
                report(name, error, attempt)
            }
            try await pause(Self.delay(after: attempt))
            attempt += 1
        }
    }

    /// For what need not be tried again.
    func note(_ message: Logger.Message, _ error: any Error) {
        logger.debug(message, metadata: ["error": "\(error)"])
    }

    /// A little while, for a state that gives no sign when it changes.
    func wait(_ duration: Duration) async throws { try await pause(duration) }

    private static func goesAway(_ error: any Error) -> Bool {
        if let error = error as? AMQPError {
            return error.code != .configuration && error.code != .invalidMessage && error.code != .stopped
        }
        return StoreFailure(error) == .transient
    }

    /// The connection has been stopped with the process.
    private func isTooLate(_ error: any Error) -> Bool {
        isStopping && (error as? AMQPError)?.code == .stopped
    }

    /// From 50 ms, doubled up to 2 s, the half of it by chance: several registrars share one file and one broker.
    static func delay(after attempt: Int) -> Duration {
        let longest = min(2000, 50 << min(attempt, 10))
        return .milliseconds(Int.random(in: longest / 2...longest))
    }

    /// The second failure, and then about one a minute. Of a lost connection the process speaks itself.
    private func report(_ name: String, _ error: any Error, _ attempt: Int) {
        let isKnown = (error as? AMQPError)?.code.concernsConnection ?? false
        let level: Logger.Level = attempt % 32 == 1 && !isKnown ? .warning : .debug
        logger.log(
            level: level, "Waiting for the database or the broker",
            metadata: ["for": "\(name)", "error": "\(error)", "attempt": "\(attempt + 1)"])
    }
}
