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
        var complaints = Complaints(logger: logger)
        var bindsAll = false
        while mailbox.stop == nil {
            let reason: AMQPError?
            do throws(AMQPError) {
                let session = try connect(bindsAll: bindsAll, &complaints)
                let start = ContinuousClock.now
                reason = session.run()
                bindsAll = reason?.code == .bindingMissing
                backoff.connectionLasted(start.duration(to: .now))
            } catch {
                reason = error
            }
            guard let reason else { break }
            if reason.code == .accessRefused { complaints.make("The broker refuses this user", reason.message) }
            _ = mailbox.disconnect(.disconnected(reason: reason.message))
            logger.info("Not connected to the broker", metadata: [LogKey.reason: "\(reason)"])
            wait(backoff.delay(using: &generator))
        }
        stopped()
    }

    /// Tries each URL once.
    private func connect(bindsAll: Bool, _ complaints: inout Complaints) throws(AMQPError) -> Session {
        var failure = AMQPError(.connectionLost, "stopped while connecting")
        for url in urls.shuffled() where mailbox.stop == nil {
            do throws(AMQPError) {
                let broker = try BrokerHandle.open(url, configuration)
                let refused = try broker.prepare(channel: 1, topology, bindsAll: bindsAll)
                if let binding = refused.first {
                    complaints.make(
                        "A binding is missing that this user may not make",
                        "\(binding.queue) to \(binding.exchange)" + (topology.remedy.map { "; \($0)" } ?? ""))
                }
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

/// What only a person can put right: an error in the log, once for each reason, however often it is tried again.
private struct Complaints {
    let logger: Logger
    private var last = ""

    init(logger: Logger) { self.logger = logger }

    mutating func make(_ message: Logger.Message, _ reason: String) {
        guard reason != last else { return }
        last = reason
        logger.error(message, metadata: [LogKey.reason: "\(reason)"])
    }
}

/// The keys of this module's log metadata.
enum LogKey {
    static let broker = "broker"
    static let connection = "connection"
    static let reason = "reason"
}
