public import Logging
public import ServiceLifecycle
import Synchronization
import Threads

/// One connection to the broker that keeps itself up. Publish and consume on separate ones: an alarm of the broker
/// stops the reading of those that publish.
public final class Connection: Service {
    private let loop: ConnectionLoop
    private let mailbox: Mailbox
    private let hasRun = Atomic(false)

    /// Throws `configuration` where a URL or the CA file cannot be used. Connects to nothing yet.
    public init(configuration: ConnectionConfiguration, topology: Topology, logger: Logger) throws(AMQPError) {
        let urls = try configuration.checkedURLs()
        var logger = logger
        logger[metadataKey: LogKey.connection] = "\(configuration.name)"
        mailbox = Mailbox(
            maximumMessages: configuration.maximumOutstandingMessages,
            maximumBytes: configuration.maximumOutstandingBytes)
        loop = ConnectionLoop(
            configuration: configuration, urls: urls, topology: topology, mailbox: mailbox, logger: logger)
    }

    /// Connects, and connects again with jittered backoff, until graceful shutdown or cancellation. Once only.
    ///
    /// A graceful shutdown waits up to `drainTimeout` for confirms. Both end within the time of one connect or call.
    public func run() async throws {
        if hasRun.exchange(true, ordering: .relaxed) {
            throw AMQPError(.stopped, "a connection runs only once")
        }
        let loop = loop
        let mailbox = mailbox
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await OwnedThread(name: "amqp") { loop.run() }.join()
            } onGracefulShutdown: {
                mailbox.requestStop(.graceful)
            }
        } onCancel: {
            mailbox.requestStop(.immediate)
        }
    }

    public var status: ConnectionStatus { mailbox.status }

    /// The status now, then each change of it, to the last one, `stopped`. A reader that is slow misses old ones.
    public func statusUpdates() -> AsyncStream<ConnectionStatus> { mailbox.statusUpdates() }

    /// Hands `message` over for sending, in the order of the calls, and returns without waiting.
    ///
    /// Published persistent, mandatory, and with confirms. Fails at once with `notConnected`, `blocked` (also where more
    /// is outstanding than the configuration allows), `stopped`, or `invalidMessage`: nothing was sent then.
    /// `timeout` is the time for the broker's confirm, from this call on.
    public func send(
        _ message: Message, to exchange: String, routingKey: String, timeout: Duration = .seconds(5)
    ) throws(AMQPError) -> PublishReceipt {
        try message.validate(exchange: exchange, routingKey: routingKey)
        let receipt = PublishReceipt(answer: OneShot())
        try mailbox.publish(
            PendingPublish(
                message: message, exchange: exchange, routingKey: routingKey, deadline: .now + timeout,
                receipt: receipt))
        return receipt
    }

    /// `send` and wait for the broker's confirm.
    public func publish(
        _ message: Message, to exchange: String, routingKey: String, timeout: Duration = .seconds(5)
    ) async throws(AMQPError) {
        try await send(message, to: exchange, routingKey: routingKey, timeout: timeout).confirmed()
    }

    /// Waits for a connection, then consumes. The subscription ends with an error when the connection or the
    /// channel is lost or the queue goes; the caller subscribes again, at the offset that it then wants.
    ///
    /// - Parameters:
    ///   - prefetch: How many deliveries may be unacknowledged, 1 to 65535.
    ///   - arguments: Of the consumer, such as `x-stream-offset` or `x-priority`.
    ///
    /// Throws `cancelled` where there is no such queue, `channelClosed` where the broker refuses, `connectionLost`
    /// where the connection is lost before it answers, and `stopped` on a stop of the connection or a cancelled task.
    public func subscribe(
        to queue: String, prefetch: Int, arguments: [String: FieldValue] = [:]
    ) async throws(AMQPError) -> Subscription {
        guard queue.utf8.count <= 255 else {
            throw AMQPError(.configuration, "the name of the queue is longer than 255 bytes")
        }
        let consumer = Consumer(
            id: mailbox.newID(), queue: queue, prefetch: UInt16(clamping: max(1, prefetch)), arguments: arguments)
        try mailbox.subscribe(consumer)
        // From here on it is cancelled where nobody gets it.
        let subscription = Subscription(handle: Subscription.Handle(consumer: consumer, mailbox: mailbox))
        let cancelled = AMQPError(.stopped, "the task was cancelled before the broker answered")
        try await consumer.started.value(ifCancelled: .failure(cancelled)).get()
        return subscription
    }
}
