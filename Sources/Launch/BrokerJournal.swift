import AMQP
import Logging
import Synchronization

/// Speaks for all broker connections of a process: one line if the broker is lost, and one if it is found again.
///
/// A process has a connection to publish and one to consume, and each tries again every few seconds. Their failures are
/// one event to the reader of the log.
final class BrokerJournal: Sendable {
    private struct State {
        /// The connections that are not there, by name.
        var down: Set<String> = []
        var hasConnected = false
        /// Set from the first failure until all connections are there again.
        var lostAt: ContinuousClock.Instant?
        /// What the broker refuses, as it was last said: it needs a person, and the reason may change.
        var refusal: String?
        var refusedSince: ContinuousClock.Instant?
        var isBlocked = false
        var missingBindings: Set<String> = []
    }

    /// A broker that is still starting refuses for some seconds what it allowed before.
    static let refusalsOfAStart = Duration.seconds(10)

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) { self.logger = logger }

    func note(_ event: ConnectionEvent, of connection: String, at now: ContinuousClock.Instant = .now) {
        switch event {
        case .connected(let broker): connected(connection, broker, now)
        case .failed(let broker, let error): failed(connection, broker, error, now)
        case .lacksBinding(let binding):
            guard state.withLock({ $0.missingBindings.insert(binding).inserted }) else { return }
            logger.error("A binding is missing that this broker user may not make", metadata: ["binding": "\(binding)"])
        case .blocked(let reason):
            guard change(isBlocked: true) else { return }
            logger.warning(
                "The broker takes no messages: free memory or disk space on its host", metadata: ["reason": "\(reason)"]
            )
        case .unblocked: if change(isBlocked: false) { logger.info("The broker takes messages again") }
        }
    }

    /// False if it was so already.
    private func change(isBlocked: Bool) -> Bool {
        state.withLock { state in
            defer { state.isBlocked = isBlocked }
            return state.isBlocked != isBlocked
        }
    }

    private func connected(_ connection: String, _ broker: String, _ now: ContinuousClock.Instant) {
        let said = state.withLock { state -> (isFirst: Bool, lostAt: ContinuousClock.Instant?)? in
            state.down.remove(connection)
            guard state.down.isEmpty, state.lostAt != nil || !state.hasConnected else { return nil }
            defer {
                state.hasConnected = true
                state.lostAt = nil
                state.refusal = nil
                state.refusedSince = nil
                // The alarm of a connection ends with the connection.
                state.isBlocked = false
            }
            return (!state.hasConnected, state.lostAt)
        }
        guard let said else { return }
        var metadata: Logger.Metadata = ["broker": "\(broker)"]
        if let lostAt = said.lostAt { metadata["after_seconds"] = "\(lostAt.duration(to: now).components.seconds)" }
        logger.info(said.isFirst ? "Connected to the broker" : "Connected to the broker again", metadata: metadata)
    }

    /// The login, a right, or the arguments of a queue. A queue that is not there yet comes with the broker's start.
    private static func needsAPerson(_ error: AMQPError) -> Bool {
        error.code == .accessRefused || error.code == .channelClosed && error.message.contains("PRECONDITION_FAILED")
    }

    private func failed(
        _ connection: String, _ broker: String, _ error: AMQPError, _ now: ContinuousClock.Instant
    ) {
        let isRefusal = Self.needsAPerson(error)
        let hadConnected = state.withLock { state -> Bool? in
            state.down.insert(connection)
            defer { state.lostAt = state.lostAt ?? now }
            guard isRefusal else { return state.lostAt == nil ? state.hasConnected : nil }
            let since = state.refusedSince ?? now
            state.refusedSince = since
            if state.hasConnected, since.duration(to: now) < Self.refusalsOfAStart { return nil }
            guard state.refusal != error.message else { return nil }
            state.refusal = error.message
            return state.hasConnected
        }
        guard let hadConnected else { return }
        let metadata: Logger.Metadata = ["broker": "\(broker)", "reason": "\(error.message)"]
        if isRefusal {
            logger.error(
                "The broker refuses this process, which goes on trying: correct ROLLCALL_AMQP_URL, or the user's rights",
                metadata: metadata)
        } else if hadConnected {
            logger.warning("The broker is lost; this process goes on trying", metadata: metadata)
        } else {
            logger.warning(
                "The broker cannot be reached, and this process goes on trying: start it, or correct ROLLCALL_AMQP_URL",
                metadata: metadata)
        }
    }
}
