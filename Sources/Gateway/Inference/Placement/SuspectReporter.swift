import Catalog
import Logging
import Synchronization

/// Tells everybody of endpoints that could not be connected to: the scheduler has them polled at once, and every gateway
/// puts them behind the others until that poll's result.
final class SuspectReporter: Sendable {
    /// One endpoint is told of once in this time.
    static let interval = Duration.seconds(1)

    private let sender: any CommandSender
    private let logger: Logger
    private let confirm: Duration
    private let told = Mutex<[String: ContinuousClock.Instant]>([:])

    init(sender: any CommandSender, confirm: Duration, logger: Logger) {
        self.sender = sender
        self.confirm = confirm
        self.logger = logger
    }

    /// Returns at once; the request that has failed goes on to the next endpoint meanwhile.
    func report(_ endpoint: String, reason: String, now: ContinuousClock.Instant = .now) {
        guard isDue(endpoint, now) else { return }
        publish(.endpointSuspect(PollRequest(endpoint: endpoint, reason: reason)), of: endpoint)
    }

    /// Asks for a poll of an endpoint whose answer shows that the catalog is out of date.
    func requestPoll(_ endpoint: String, now: ContinuousClock.Instant = .now) {
        guard isDue(endpoint, now) else { return }
        publish(.pollRequested(PollRequest(endpoint: endpoint, reason: "inference")), of: endpoint)
    }

    /// Tells the pollers that an endpoint is answering somebody.
    func reportAlive(_ endpoint: String) {
        publish(.endpointAlive(EndpointSighting(endpoint: endpoint)), of: endpoint)
    }

    private func isDue(_ endpoint: String, _ now: ContinuousClock.Instant) -> Bool {
        told.withLock { told in
            if let last = told[endpoint], now - last < Self.interval { return false }
            told = told.filter { now - $0.value < Self.interval }
            told[endpoint] = now
            return true
        }
    }

    private func publish(_ message: CatalogMessage, of endpoint: String) {
        Task {
            do {
                try await sender.publish(message, timeout: confirm)
            } catch {
                // The next poll finds it out as well.
                logger.debug(
                    "What a request has shown of an endpoint could not be announced",
                    metadata: [LogKey.endpoint: "\(endpoint)", LogKey.error: "\(error)"])
            }
        }
    }
}
