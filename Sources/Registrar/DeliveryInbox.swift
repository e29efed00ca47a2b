import AMQP
import Synchronization

/// Deliveries that have come and are not in work: all of them are taken at once, so that one announcement serves them
/// all. Bounded by the subscription's prefetch, since none is acknowledged here.
final class DeliveryInbox: Sendable {
    private struct State {
        var waiting: [Delivery] = []
        var isOpen = true
    }

    private let state = Mutex(State())
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() {
        // Only "there is something" is kept in the stream, so nothing is lost where it keeps one.
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func append(_ delivery: Delivery) {
        state.withLock { $0.waiting.append(delivery) }
        signal.yield()
    }

    /// No more comes, and nothing more is taken: what waits goes back to the queue.
    func close() {
        state.withLock { state in
            state.isOpen = false
            state.waiting = []
        }
        signal.finish()
    }

    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// All that waits, oldest first, as soon as there is any; nil once closed. For one reader.
    func next() async -> [Delivery]? {
        for await _ in signals {
            let batch = state.withLock { state in
                let batch = state.waiting
                state.waiting = []
                return batch
            }
            if !batch.isEmpty { return batch }
        }
        return nil
    }
}
