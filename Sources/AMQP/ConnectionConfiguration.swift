/// How to reach the broker, and how long to wait for it.
public struct ConnectionConfiguration: Sendable {
    /// What `amqps://` needs. The peer and its host name are always verified, with TLS 1.2 or newer.
    public struct TLS: Sendable {
        /// A PEM file with the authorities to trust. The system's own are not used: librabbitmq does not load them.
        public var caFile: String

        public init(caFile: String) { self.caFile = caFile }
    }

    /// `amqp://user:password@host:port/vhost` or `amqps://…`; tried in shuffled order.
    ///
    /// User, password, and vhost are percent-encoded. Without a vhost it is `/`.
    public var urls: [String]
    /// Shown by the broker in its list of connections.
    public var name: String
    /// Asked of the broker, in whole seconds of at least 1. A peer that is silent for two of them is given up.
    public var heartbeat: Duration = .seconds(10)
    /// For the TCP connect and TLS handshake of one URL.
    public var connectTimeout: Duration = .seconds(5)
    /// For the broker's answer to one call; never more than two heartbeats.
    public var callTimeout: Duration = .seconds(10)
    /// The first wait before connecting again; it doubles up to `maximumBackoff`. Half of each wait is random.
    public var minimumBackoff: Duration = .milliseconds(100)
    public var maximumBackoff: Duration = .seconds(5)
    /// How long a graceful shutdown waits for confirms of what has been sent.
    public var drainTimeout: Duration = .seconds(2)
    /// Messages that may wait to be sent or confirmed; `send` fails with `blocked` above it.
    public var maximumOutstandingMessages = 65_536
    /// The bytes of their bodies.
    public var maximumOutstandingBytes = 64 << 20
    public var tls: TLS?
    /// Called on the connection's thread: the closure must not wait. A connection logs nothing above `debug`. A process has
    /// several connections, and the process writes one line for all of them.
    public var observer: @Sendable (ConnectionEvent) -> Void = { _ in }

    public init(urls: [String], name: String) {
        self.urls = urls
        self.name = name
    }
}
