import DequeModule
import Synchronization

/// What a subscription and the connection's thread share: the deliveries between them, and how it ended.
final class Consumer: Sendable {
    private struct State {
        /// At most `prefetch`, since the broker sends no more before some are acknowledged.
        var deliveries: Deque<Delivery> = []
        var end: Result<Void, AMQPError>?
        var waiters: [Int: CheckedContinuation<Result<Delivery?, AMQPError>, Never>] = [:]
        var nextWaiter = 0
    }

    let id: UInt64
    let queue: String
    let prefetch: UInt16
    let arguments: [String: FieldValue]
    /// Whether the broker has accepted it.
    let started = OneShot<Result<Void, AMQPError>>()
    /// Set once its channel is gone, or was never there.
    let released = OneShot<Void>()
    private let state = Mutex(State())

    init(id: UInt64, queue: String, prefetch: UInt16, arguments: [String: FieldValue]) {
        self.id = id
        self.queue = queue
        self.prefetch = prefetch
        self.arguments = arguments
    }

    var request: ConsumerChannels.Request {
        ConsumerChannels.Request(id: id, queue: queue, prefetch: prefetch, arguments: arguments)
    }

    func deliver(_ delivery: Delivery) {
        let waiter: CheckedContinuation<Result<Delivery?, AMQPError>, Never>? = state.withLock { state in
            guard state.end == nil else { return nil }
            if let key = state.waiters.keys.min() { return state.waiters.removeValue(forKey: key) }
            state.deliveries.append(delivery)
            return nil
        }
        waiter?.resume(returning: .success(delivery))
    }

    /// No more deliveries come. Those that are here can still be read, except after a cancel: then they go back to
    /// the queue, so nobody is to work on them.
    func end(_ end: Result<Void, AMQPError>) {
        let waiters = state.withLock { state in
            if state.end == nil { state.end = end }
            if case .success = end { state.deliveries.removeAll() }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: end.map { nil }) }
    }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// The next delivery; nil after a cancel of the consumer or of the calling task.
    func next() async throws(AMQPError) -> Delivery? {
        let key = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let result: Result<Delivery?, AMQPError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Result<Delivery?, AMQPError>? = state.withLock { state in
                    if Task.isCancelled { return .success(nil) }
                    if let delivery = state.deliveries.popFirst() { return .success(delivery) }
                    if let end = state.end { return end.map { nil } }
                    state.waiters[key] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waiters.removeValue(forKey: key) }
            continuation?.resume(returning: .success(nil))
        }
        return try result.get()
    }
}
