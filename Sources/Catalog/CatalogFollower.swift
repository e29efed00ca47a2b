public import AMQP
import FoundationEssentials
public import Logging
public import ServiceLifecycle
import Synchronization

/// Follows the catalog stream and keeps a `Catalog` that is never emptied by what happens to the broker.
public final class CatalogFollower: Service {
    public struct Configuration: Sendable {
        /// How often the scheduler says everything once more; how far back a cold start reads follows from it.
        public var refreshInterval: Duration = .seconds(300)
        /// Deliveries that may be on their way: enough to read a backlog at full speed.
        public var prefetch = 2000

        public init() {}
    }

    struct State {
        var machine: FollowerMachine
        /// Somebody has asked for the list: from then on it is encoded as soon as it changes.
        var servesList = false
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
    let state: Mutex<State>
    /// Apart from `state`, so that whoever reads the list never waits for messages to be applied.
    let list = Mutex<ModelList?>(nil)

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
        let machine = FollowerMachine(refreshInterval: configuration.refreshInterval) {
            UUID().uuidString.lowercased()
        }
        state = Mutex(State(machine: machine))
    }

    /// Follows until graceful shutdown or cancellation; never ends on account of the broker.
    public func run() async throws {
        await cancelWhenGracefulShutdown { await self.follow() }
        stop()
    }

    /// Reads the catalog as it is now, under a lock: be quick.
    public func read<T, E: Error>(_ body: (borrowing Catalog) throws(E) -> T) throws(E) -> T {
        try state.withLock { state throws(E) in Kept(value: try body(state.machine.catalog)) }.value
    }

    /// The merged list as encoded bytes; no work is done but a lock taken (the first call encodes it).
    ///
    /// Never older than what `read` shows.
    public var modelList: ModelList {
        if let list = list.withLock({ $0 }) { return list }
        return state.withLock { state in
            state.servesList = true
            return encodeList(&state)
        }
    }

    /// The part of the list that `patterns` match, made anew with each call: keep it as long as the list has that ETag.
    public func modelList(of patterns: ModelPatterns) -> ModelListPart {
        state.withLock { $0.machine.modelList(of: patterns) }
    }

    public var readiness: Readiness { state.withLock { $0.machine.readiness } }

    /// Time since the catalog was last known to be current; nil when it never was.
    public var age: Duration? { state.withLock { $0.machine.age(.now) } }

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
            if let value = condition(state.machine.catalog) {
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
        var encoded: Message
        do {
            encoded = try message.encoded()
            encoded.trace = trace
        } catch {
            throw AMQPError(.invalidMessage, "a \(message.type) message cannot be encoded")
        }
        return try publishing.send(
            encoded, to: BrokerMap.exchange(to: brokerMap.catalog), routingKey: "", timeout: timeout)
    }

    private func stop() {
        let (listeners, abandon) = state.withLock { state in
            state.isStopped = true
            state.machine.lost("stopped")
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

    @discardableResult
    func encodeList(_ state: inout State) -> ModelList {
        let encoded = state.machine.modelList
        list.withLock { $0 = encoded }
        return encoded
    }
}

/// Carries a value that is not `Sendable` out of a lock.
///
/// `@unchecked`: what `read`'s caller makes of a catalog, which is a `Sendable` value, cannot be shared with what the
/// lock protects, and it is handed to that caller, on its own task, only.
private struct Kept<Value>: @unchecked Sendable {
    let value: Value
}
