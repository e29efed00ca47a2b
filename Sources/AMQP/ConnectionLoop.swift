import Logging

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
        while mailbox.stop == nil {
            let reason: AMQPError?
            do throws(AMQPError) {
                let session = try connect()
                let start = ContinuousClock.now
                reason = session.run()
                backoff.connectionLasted(start.duration(to: .now))
            } catch {
                reason = error
            }
            guard let reason else { break }
            _ = mailbox.disconnect(.disconnected(reason: reason.message))
            logger.info("Not connected to the broker", metadata: [LogKey.reason: "\(reason)"])
            wait(backoff.delay(using: &generator))
        }
        stopped()
    }

    /// Tries each URL once.
    private func connect() throws(AMQPError) -> Session {
        var failure = AMQPError(.connectionLost, "stopped while connecting")
        for url in urls.shuffled() where mailbox.stop == nil {
            do throws(AMQPError) {
                let broker = try BrokerHandle.open(url, configuration)
                try broker.prepare(channel: 1, topology)
                mailbox.report(.connected)
                logger.info("Connected to the broker", metadata: [LogKey.broker: "\(url.address)"])
                return Session(broker, mailbox, configuration, topology)
            } catch {
                failure = AMQPError(error.code, "\(url.address): \(error.message)")
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
        logger.info("Disconnected from the broker")
    }
}

/// The keys of this module's log metadata.
enum LogKey {
    static let broker = "broker"
    static let connection = "connection"
    static let reason = "reason"
}
