import Logging
import Threads

/// What the thread of a connection does: connect, work until that is lost, wait, and again, until it is stopped.
struct ConnectionLoop: Sendable {
    let configuration: ConnectionConfiguration
    let urls: [BrokerURL]
    let topology: Topology
    let mailbox: Mailbox
    let logger: Logger

    func run() {
        var backoff = Backoff(minimum: configuration.minimumBackoff, maximum: configuration.maximumBackoff)
        var generator = SystemRandomNumberGenerator()
        var bindsAll = false
        while mailbox.stop == nil {
            let failure: Failure?
            do throws(Failure) {
                let (session, broker) = try connect(bindsAll: bindsAll)
                let start = ContinuousClock.now
                failure = session.run().map { Failure(broker: broker, error: $0, status: $0.message) }
                bindsAll = failure?.error.code == .bindingMissing
                backoff.connectionLasted(start.duration(to: .now))
            } catch {
                failure = error
            }
            guard let failure else { break }
            configuration.observer(.failed(broker: failure.broker, failure.error))
            _ = mailbox.disconnect(.disconnected(reason: failure.status))
            logger.debug(
                "Not connected to the broker",
                metadata: [LogKey.broker: "\(failure.broker)", LogKey.reason: "\(failure.error)"])
            wait(backoff.delay(using: &generator))
        }
        stopped()
    }

    /// Why there is no connection to `broker`, the URL tried last.
    private struct Failure: Error {
        let broker: String
        let error: AMQPError
        /// For the status.
        let status: String
    }

    /// Tries each URL once.
    private func connect(bindsAll: Bool) throws(Failure) -> (Session, broker: String) {
        let stopped = AMQPError(.connectionLost, "stopped while connecting")
        var failure = Failure(broker: "", error: stopped, status: stopped.message)
        for url in urls.shuffled() where mailbox.stop == nil {
            do throws(AMQPError) {
                let broker = try BrokerHandle.open(url, configuration)
                let refused = try broker.prepare(channel: 1, topology, bindsAll: bindsAll)
                if let binding = refused.first {
                    let remedy = topology.remedy.map { "; \($0)" } ?? ""
                    configuration.observer(.lacksBinding("\(binding.queue) to \(binding.exchange)\(remedy)"))
                }
                mailbox.report(.connected)
                logger.debug("Connected to the broker", metadata: [LogKey.broker: "\(url.address)"])
                configuration.observer(.connected(broker: url.address))
                return (Session(broker, mailbox, configuration, topology), url.address)
            } catch {
                failure = Failure(broker: url.address, error: error, status: "\(url.address): \(error.message)")
            }
        }
        throw failure
    }

    private func wait(_ delay: Duration) {
        let end = ContinuousClock.now + delay
        while mailbox.stop == nil, ContinuousClock.now < end { mailbox.wakeup.wait(until: end) }
    }

    private func stopped() {
        let error = AMQPError(.stopped, "the connection has been stopped")
        for case .subscribe(let consumer) in mailbox.disconnect(.stopped) {
            consumer.end(.failure(error))
            consumer.started.resolve(.failure(error))
            consumer.released.resolve(())
        }
        mailbox.finishUpdates()
        logger.debug("Disconnected from the broker")
    }
}

/// The keys of this module's log metadata.
enum LogKey {
    static let broker = "broker"
    static let connection = "connection"
    static let reason = "reason"
}
