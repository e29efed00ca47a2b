public import AMQP
import FoundationEssentials
public import Logging
public import ServiceLifecycle
import Synchronization

/// Follows the catalog stream and keeps a `Catalog` that is never emptied by what happens to the broker.
public final class CatalogFollower: Service {
    public struct Configuration: Sendable {
        /// The process has no use for what the endpoints serve, and does not wait for it: only the records matter.
        public var needsRecordsOnly = false
        /// Deliveries that may be on their way: enough to read a backlog at full speed.
        public var prefetch = 2000

        public init() {}
    }

    struct State {
        var machine: FollowerMachine
        /// Somebody has asked for a view: from then on one is published whenever there is a new one.
        var servesViews = false
        var views = CatalogViewBuilder()
        /// Of views: the number of the last one that was drafted.
        var viewNumber: UInt64 = 0
        /// Messages have been applied, and a view of them is not published yet.
        var isViewBehind = false
        /// How many requests for everything have come since the catalog was ready.
        var catalogRequests = 0
        var nextID: UInt64 = 0
        /// Each gives true once it is done.
        var waiters: [UInt64: @Sendable (borrowing Catalog) -> Bool] = [:]
        /// Ends the waits that are left at stop.
        var abandon: [UInt64: @Sendable () -> Void] = [:]
        var listeners: [UInt64: AsyncStream<[CatalogEffect]>.Continuation] = [:]
        var isStopped = false
    }

    let brokerMap: BrokerMap
    let consuming: Connection
    let publishing: Connection
    let configuration: Configuration
    let logger: Logger
    let logLimits = LogLimits()
    let state: Mutex<State>
    /// Apart from `state`, so that readers of views never wait for messages to be applied.
    let published = Mutex<PublishedView?>(nil)

    /// `consuming` and `publishing` are run by the caller's `ServiceGroup`.
    public init(
        brokerMap: BrokerMap, consuming: Connection, publishing: Connection, configuration: Configuration,
        logger: Logger
    ) {
        self.brokerMap = brokerMap
        self.consuming = consuming
        self.publishing = publishing
        self.configuration = configuration
        self.logger = logger
        let machine = FollowerMachine(need: configuration.needsRecordsOnly ? .records : .everything) {
            UUID().uuidString.lowercased()
        }
        state = Mutex(State(machine: machine))
    }

    /// Follows until graceful shutdown or cancellation; never ends on account of the broker.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.follow() }
        stop()
    }

    /// Reads the catalog as it is now, under a lock: be quick. For what is not in a view.
    public func read<T, E: Error>(_ body: (borrowing Catalog) throws(E) -> T) throws(E) -> T {
        try state.withLock { state throws(E) in Kept(value: try body(state.machine.catalog)) }.value
    }

    /// The newest view. Only a lock around one pointer is taken; the first call makes a view.
    ///
    /// After `wait` has given a value, no view is older than the catalog that the value is from. `read` may see messages
    /// of which a view is published some milliseconds later.
    public var view: CatalogView {
        if let published = published.withLock({ $0 }) { return published.view }
        return makeView()
    }

    public var readiness: Readiness { state.withLock { $0.machine.readiness } }

    /// Time since the catalog was last known to be current; nil when it never was.
    public var age: Duration? { state.withLock { $0.machine.age(.now) } }

    /// How many processes have asked for everything to be said once more since this one was ready.
    public var catalogRequests: Int { state.withLock { $0.catalogRequests } }

    /// Effects of each batch, in order, from now on; never dropped. Ends when the follower stops.
    public func effects() -> AsyncStream<[CatalogEffect]> {
        let (stream, continuation) = AsyncStream<[CatalogEffect]>.makeStream(bufferingPolicy: .unbounded)
        let id: UInt64? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.nextID += 1
            state.listeners[state.nextID] = continuation
            return state.nextID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    /// Waits until `condition` gives a value, asked now and after each applied batch, under the lock; nil after
    /// `timeout`, at stop, and where the task is cancelled.
    public func wait<T: Sendable>(
        timeout: Duration, until condition: @escaping @Sendable (borrowing Catalog) -> T?
    ) async -> T? {
        let waiter = CatalogWaiter<T>()
        let id: UInt64? = state.withLock { state in
            // If the view is behind, `condition` is asked again as soon as it is not.
            let mayAsk = !state.servesViews || !state.isViewBehind || state.isStopped
            if mayAsk, let value = condition(state.machine.catalog) {
                waiter.finish(value)
                return nil
            }
            guard !state.isStopped else {
                waiter.finish(nil)
                return nil
            }
            state.nextID += 1
            state.waiters[state.nextID] = { catalog in
                guard let value = condition(catalog) else { return false }
                waiter.finish(value)
                return true
            }
            state.abandon[state.nextID] = { waiter.finish(nil) }
            return state.nextID
        }
        guard let id else { return await waiter.value() }
        let timer = Task {
            // Cancelled when the wait is over: then there is nothing left to end.
            do { try await Task.sleep(for: timeout) } catch { return }
            waiter.finish(nil)
        }
        let value = await waiter.value()
        timer.cancel()
        state.withLock { state in
            state.waiters[id] = nil
            state.abandon[id] = nil
        }
        return value
    }

    /// Publishes a message on the stream with the properties that each must have. The broker's answer is the receipt's.
    public func publish(
        _ message: CatalogMessage, trace: TraceContext? = .current, timeout: Duration = .seconds(5)
    ) throws(AMQPError) -> PublishReceipt {
        try publish(try message.encoded(trace: trace), timeout: timeout)
    }

    /// Publishes a message that `CatalogMessage.encoded(trace:)` made: for callers that count its bytes.
    public func publish(_ encoded: Message, timeout: Duration) throws(AMQPError) -> PublishReceipt {
        try publishing.send(
            encoded, to: BrokerMap.exchange(to: brokerMap.catalog), routingKey: "", timeout: timeout)
    }

    private func stop() {
        state.withLock { state in
            state.isStopped = true
            state.machine.lost("stopped")
        }
        publishView()
        let (listeners, abandon) = state.withLock { state in
            defer {
                state.listeners = [:]
                state.waiters = [:]
                state.abandon = [:]
            }
            return (Array(state.listeners.values), Array(state.abandon.values))
        }
        for listener in listeners { listener.finish() }
        for end in abandon { end() }
    }
}

/// Carries a value that is not `Sendable` out of a lock.
///
/// `@unchecked`: what `read`'s caller makes of a catalog, which is a `Sendable` value, cannot be shared with what the
/// lock protects, and it is handed to that caller, on its own task, only.
private struct Kept<Value>: @unchecked Sendable {
    let value: Value
}
