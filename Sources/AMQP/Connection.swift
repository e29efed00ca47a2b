public import Logging
public import ServiceLifecycle

/// How to reach the broker. Skeleton: to be completed by the AMQP implementation.
public struct ConnectionConfiguration: Sendable {
    public struct TLS: Sendable {
        public var caFile: String
        public init(caFile: String) { self.caFile = caFile }
    }
    /// `amqp://user:password@host:port/vhost` or `amqps://…`; tried in shuffled order.
    public var urls: [String]
    /// Shown by the broker in its list of connections.
    public var name: String
    public var heartbeat: Duration = .seconds(10)
    public var connectTimeout: Duration = .seconds(5)
    public var callTimeout: Duration = .seconds(10)
    public var tls: TLS?

    public init(urls: [String], name: String) {
        self.urls = urls
        self.name = name
    }
}

public enum ConnectionStatus: Sendable, Hashable {
    /// Not connected; `reason` is the last failure, without any credential.
    case disconnected(reason: String)
    case connected
    /// Connected, but the broker has stopped reading from us (memory or disk alarm).
    case blocked(reason: String)
    case stopped
}

public struct AMQPError: Error, Sendable {
    public struct Code: Sendable, Hashable {
        private let name: String
        /// Nothing was sent: there is no connection, or it is blocked. Safe to try elsewhere or later.
        public static let notConnected = Code(name: "notConnected")
        public static let blocked = Code(name: "blocked")
        /// The broker gave the message back: no queue is bound for it.
        public static let returned = Code(name: "returned")
        /// The broker refused the message.
        public static let nacked = Code(name: "nacked")
        /// Sent, and no answer came in time, or the connection was lost: the broker may have it.
        public static let unconfirmed = Code(name: "unconfirmed")
        /// The queue of a subscription is gone, or the broker cancelled the consumer.
        public static let cancelled = Code(name: "cancelled")
        /// A channel was closed by the broker; the message says why.
        public static let channelClosed = Code(name: "channelClosed")
        /// The connection was lost.
        public static let connectionLost = Code(name: "connectionLost")
        /// The configuration cannot be used (URL, CA file).
        public static let configuration = Code(name: "configuration")
        /// The connection has been stopped.
        public static let stopped = Code(name: "stopped")
    }
    public let code: Code
    public let message: String
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// One connection to the broker that keeps itself up. Publish and consume on separate ones.
public final class Connection: Service {
    public init(configuration: ConnectionConfiguration, topology: Topology, logger: Logger) throws(AMQPError) {}

    /// Connects, and connects again with jittered backoff, until graceful shutdown or cancellation.
    public func run() async throws { fatalError() }

    public var status: ConnectionStatus { fatalError() }

    /// The status now, then each change of it.
    public func statusUpdates() -> AsyncStream<ConnectionStatus> { fatalError() }

    /// Hands `message` over for sending, in the order of the calls, and returns without waiting.
    ///
    /// Published mandatory and with confirms. Fails at once with `notConnected`, `blocked`, or `stopped`.
    public func send(
        _ message: Message, to exchange: String, routingKey: String, timeout: Duration = .seconds(5)
    ) throws(AMQPError) -> PublishReceipt { fatalError() }

    /// `send` and wait for the broker's confirm.
    public func publish(
        _ message: Message, to exchange: String, routingKey: String, timeout: Duration = .seconds(5)
    ) async throws(AMQPError) {
        try await send(message, to: exchange, routingKey: routingKey, timeout: timeout).confirmed()
    }

    /// Waits for a connection, then consumes. The subscription ends with an error when the connection or the
    /// channel is lost or the queue goes; the caller subscribes again, at the offset that it then wants.
    public func subscribe(
        to queue: String, prefetch: Int, arguments: [String: FieldValue] = [:]
    ) async throws(AMQPError) -> Subscription { fatalError() }
}

/// The broker's answer to one message, still to come.
public struct PublishReceipt: Sendable {
    /// Returns when the broker has confirmed. Throws `returned`, `nacked`, or `unconfirmed`.
    public func confirmed() async throws(AMQPError) { fatalError() }
}

/// Deliveries of one consumer. At most `prefetch` are outstanding; acknowledging one makes room for the next.
public struct Subscription: AsyncSequence, Sendable {
    public typealias Element = Delivery
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws(AMQPError) -> Delivery? { fatalError() }
    }
    public func makeAsyncIterator() -> AsyncIterator { fatalError() }

    /// Returns credit for one delivery. Does nothing where the channel is gone: the broker delivers it again.
    public func acknowledge(_ delivery: Delivery) { fatalError() }
    /// Quorum queues only: a stream closes the connection on a reject.
    public func reject(_ delivery: Delivery, requeue: Bool) { fatalError() }
    /// Stops the consumer; the sequence then ends without an error. Unacknowledged deliveries go back to the queue.
    public func cancel() async { fatalError() }
}
