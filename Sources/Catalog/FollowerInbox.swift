import AMQP
import Synchronization

/// What has happened in a session and is still to be dealt with, gathered so that a backlog is handled in batches.
///
/// Not bounded by itself: the consumer's prefetch bounds the deliveries, which are acknowledged only when applied.
final class FollowerInbox: Sendable {
    struct Content: Sendable {
        var deliveries: [Delivery] = []
        /// (mark, whether the broker has it)
        var marks: [(id: String, isSent: Bool)] = []
        /// The subscription is over; why, without any secret.
        var end: String?
    }

    private let content = Mutex(Content())
    /// Holds one element whenever there may be something to take. Also woken by timers.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ delivery: Delivery) {
        content.withLock { $0.deliveries.append(delivery) }
        signal.yield()
    }

    func answer(mark id: String, isSent: Bool) {
        content.withLock { $0.marks.append((id, isSent)) }
        signal.yield()
    }

    func end(_ reason: String) {
        content.withLock { $0.end = $0.end ?? reason }
        signal.yield()
    }

    func wake() { signal.yield() }

    /// All that came up since the last call.
    func take() -> Content {
        content.withLock { content in
            let taken = content
            content.deliveries = []
            content.marks = []
            return taken
        }
    }
}
