import AMQP
import Catalog
import Logging

/// Publishes the workers' rows, many to a message, and tells each worker when its row is confirmed.
actor Reporter {
    private let poller: String
    private let clock: PollerClock
    private let logger: Logger
    private let publish: @Sendable (SnapshotBatch) async throws -> Void
    private var batcher = ReportBatcher()
    private var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    private var lastToken = 0
    /// Rows whose workers still wait.
    var unconfirmed: Int { waiting.count }
    /// The earliest wake-up that is under way.
    private var wakeUp: Duration?

    /// - Parameter publish: returns once the broker has confirmed.
    init(
        poller: String, clock: PollerClock, logger: Logger,
        publish: @escaping @Sendable (SnapshotBatch) async throws -> Void
    ) {
        self.poller = poller
        self.clock = clock
        self.logger = logger
        self.publish = publish
    }

    /// Returns whether the row has been confirmed by the broker.
    func report(_ row: SnapshotRow, isChange: Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            lastToken += 1
            waiting[lastToken] = continuation
            batcher.add(.init(token: lastToken, row: row), isChange: isChange, now: clock.monotonic())
            schedule()
        }
    }

    private func schedule() {
        guard let deadline = batcher.deadline else { return }
        if let wakeUp, wakeUp <= deadline { return }
        wakeUp = deadline
        let pause = deadline - clock.monotonic()
        Task {
            if pause > .zero { await clock.pause(pause) }
            flush(deadline)
        }
    }

    private func flush(_ reached: Duration) {
        if wakeUp == reached { wakeUp = nil }
        for message in batcher.take(now: max(clock.monotonic(), reached)) { send(message) }
        schedule()
    }

    private func send(_ message: [ReportBatcher.Entry]) {
        let batch = SnapshotBatch(poller: poller, rows: message.map(\.row))
        Task {
            do {
                try await publish(batch)
                settle(message, true)
            } catch {
                logger.debug(
                    "Snapshots are not confirmed", metadata: ["error": "\(error)", "rows": "\(message.count)"])
                settle(message, false)
            }
        }
    }

    private func settle(_ message: [ReportBatcher.Entry], _ isConfirmed: Bool) {
        for entry in message { waiting.removeValue(forKey: entry.token)?.resume(returning: isConfirmed) }
    }
}
