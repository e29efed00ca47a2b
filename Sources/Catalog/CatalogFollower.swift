public import AMQP
public import Logging
public import ServiceLifecycle

/// Skeleton: to be completed by the Catalog implementation.
public struct Readiness: Sendable, Hashable {
    /// The catalog has been complete once: it can be served.
    public var isReady: Bool
    /// Following the stream right now, past the barrier: a poller takes ticks and jobs only while this holds.
    public var isCurrent: Bool
    /// The barrier was replaced by an idle stream because nothing could be published.
    public var isUnconfirmed: Bool
    /// Past the barrier on a stream that has no checkpoint at all: the active registrar must announce everything.
    public var lacksCheckpoint: Bool
    /// Why it is not ready or not current, for people.
    public var reason: String?
    /// Where the log is being rebuilt aside: snapshots must be published in full.
    public var publishInFull: Bool
}

/// Follows the catalog stream and keeps a `Catalog` that is never emptied by what happens to the broker.
public final class CatalogFollower: Service {
    public struct Configuration: Sendable {
        public var refreshInterval: Duration = .seconds(300)
        public init() {}
    }
    /// `consuming` and `publishing` are run by the caller's `ServiceGroup`.
    public init(
        brokerMap: BrokerMap, consuming: Connection, publishing: Connection, configuration: Configuration,
        logger: Logger
    ) { fatalError() }

    public func run() async throws { fatalError() }

    /// Reads the catalog as it is now, under a lock: be quick.
    public func read<T>(_ body: (borrowing Catalog) throws -> T) rethrows -> T { fatalError() }
    /// The merged list as encoded bytes; no work is done but a lock taken.
    public var modelList: ModelList { fatalError() }
    public var readiness: Readiness { fatalError() }
    /// Seconds since the catalog was last known to be current; nil when it never was.
    public var age: Duration? { fatalError() }

    /// Effects of each batch, in order, from now on; never dropped.
    public func effects() -> AsyncStream<[CatalogEffect]> { fatalError() }
    /// Waits until `condition` gives a value, asked after each applied batch; nil after `timeout` or at stop.
    public func wait<T: Sendable>(
        timeout: Duration, until condition: @escaping @Sendable (borrowing Catalog) -> T?
    ) async -> T? { fatalError() }
    /// Publishes a message on the stream with the properties that each must have.
    public func publish(_ message: CatalogMessage, timeout: Duration = .seconds(5)) throws(AMQPError) -> PublishReceipt
    {
        fatalError()
    }
}
