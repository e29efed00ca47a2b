import AMQP
import Catalog
import Logging
import ServiceLifecycle
import Synchronization

/// Takes commands from the queue while the broker gives this registrar any: one registrar gets them, the others stand
/// by.
///
/// **When nothing may be executed yet.** A command's revision must be new to the stream, so none is executed before the
/// stream has been read to its end and found to belong to this database (`Housekeeper.admit`). Deliveries are held
/// meanwhile; the prefetch bounds them. This cannot lock up:
/// - The check is made for any delivery, not only for a housekeeping proposal: a proposal could be stuck behind
///   64 commands that are held. A delivery of whatever kind says that this registrar is the active one.
/// - The stream comes over the connection that consumes, which an alarm of the broker does not stop. What an alarm
///   stops is the barrier's mark, so the stream counts as not read to its end until the alarm is over. Nothing is lost
///   by that: an announcement could not be published either, and without one no command is acknowledged. The alarm
///   ends by itself or by a person, and does not wait for us: what we hold is at most 64 commands of a queue that is
///   bounded to 64 MB. Then the mark comes through, the check is made, and the commands are executed, those whose
///   deadline is over as expired.
/// - Where the connection is lost the deliveries held are forgotten: the broker gives them out again, and a command
///   that was committed meanwhile finds its outcome.
final class CommandConsumer: Service {
    /// Deliveries in work at once.
    static let prefetch = 64
    /// How often a stream that is not read to its end is looked at again; that state has no sign of its own, since it
    /// also changes by time.
    private static let admissionPause = Duration.milliseconds(100)
    private static let subscriptionPause = Duration.milliseconds(500)

    private let queue: String
    private let connection: Connection
    private let processor: CommandProcessor
    private let housekeeper: Housekeeper
    private let accepted: AcceptedCommandRunner
    private let numbers: HubNumbers
    private let activity: RegistrarActivity
    private let patience: Patience
    private let logger: Logger
    /// Why commands could not be taken the last time.
    private let problem = Mutex<String?>(nil)

    init(
        queue: String, connection: Connection, processor: CommandProcessor, housekeeper: Housekeeper,
        accepted: AcceptedCommandRunner, numbers: HubNumbers, activity: RegistrarActivity, logger: Logger
    ) {
        self.queue = queue
        self.connection = connection
        self.processor = processor
        self.housekeeper = housekeeper
        self.accepted = accepted
        self.numbers = numbers
        self.activity = activity
        patience = processor.announcer.patience
        self.logger = logger
    }

    /// Runs until graceful shutdown, which lets what is in hand be executed, announced, and acknowledged.
    ///
    /// - Throws: `ProcessExit` where the stream is another registry's, and errors of a database that is damaged.
    func run() async throws {
        try await withGracefulShutdownHandler {
            do {
                while !patience.isStopping, !Task.isCancelled {
                    guard let subscription = try await subscribe() else { continue }
                    try await consume(subscription)
                }
            } catch is CancellationError where patience.isStopping {
                logger.warning("Stopped with work that could not be announced; it is announced at the next start")
            }
        } onGracefulShutdown: { [patience, activity] in
            patience.stop()
            activity.closeInbox()
        }
    }

    /// nil where it has to be tried again, or is not wanted any more.
    private func subscribe() async throws -> Subscription? {
        do {
            return try await cancelWhenGracefulShutdown { [connection, queue] in
                try await connection.subscribe(to: queue, prefetch: Self.prefetch)
            }
        } catch {
            guard !patience.isStopping else { return nil }
            try Task.checkCancellation()
            report(error)
            try await patience.wait(Self.subscriptionPause)
            return nil
        }
    }

    /// Once for each reason, however often it is tried. Of a lost connection the process speaks itself.
    private func report(_ error: any Error) {
        let reason = "\(error)"
        let isNew = problem.withLock { problem in
            defer { problem = reason }
            return problem != reason
        }
        let isKnown = (error as? AMQPError)?.code.concernsConnection ?? false
        logger.log(
            level: isNew && !isKnown ? .warning : .debug, "Commands cannot be taken",
            metadata: ["queue": "\(queue)", "reason": "\(reason)"])
    }

    private func consume(_ subscription: Subscription) async throws {
        problem.withLock { $0 = nil }
        let inbox = DeliveryInbox()
        activity.subscribed(inbox)
        defer {
            activity.unsubscribed()
            accepted.standDown()
        }
        // A stop between the subscription and here has found no inbox to close.
        if patience.isStopping { inbox.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [logger] in
                do {
                    for try await delivery in subscription { inbox.append(delivery) }
                } catch {
                    logger.debug("No commands for now", metadata: ["error": "\(error)"])
                }
                inbox.close()
            }
            defer { inbox.close() }
            // Only the active registrar is given anything. A subscription alone may be a standby's.
            var isActive = false
            while let batch = await inbox.next() {
                if !isActive {
                    await housekeeper.becomeActive()
                    accepted.becomeActive()
                    isActive = true
                }
                try await work(on: batch, of: subscription, inbox)
            }
            await subscription.cancel()
            try await group.waitForAll()
        }
    }

    private func work(on batch: [Delivery], of subscription: Subscription, _ inbox: DeliveryInbox) async throws {
        activity.delivered(ids: batch.lazy.map(\.message.messageID))
        while try await !housekeeper.admit() {
            try await patience.wait(Self.admissionPause)
            guard inbox.isOpen else { return }
            // What is held has been given to this one and to no other.
            activity.delivered()
        }
        let outcome = try await processor.process(batch)
        for (delivery, disposition) in zip(batch, outcome.dispositions) {
            switch disposition {
            case .acknowledge: subscription.acknowledge(delivery)
            case .reject: subscription.reject(delivery, requeue: false)
            }
        }
        guard inbox.isOpen else { return }
        accepted.wake()
        guard outcome.isProposed else { return }
        numbers.wake()
        try await housekeeper.work()
    }
}
