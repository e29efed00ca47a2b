/// Deliveries of one consumer. At most `prefetch` are outstanding; acknowledging one makes room for the next.
///
/// The consumer is cancelled when the last copy of the subscription and of its iterators is gone.
public struct Subscription: AsyncSequence, Sendable {
    public typealias Element = Delivery
    public typealias Failure = AMQPError

    public struct AsyncIterator: AsyncIteratorProtocol {
        let handle: Handle

        /// The next delivery; nil after `cancel`, and where the calling task is cancelled.
        ///
        /// Throws `cancelled`, `channelClosed`, `connectionLost`, or `stopped`, after what had been delivered before.
        public mutating func next() async throws(AMQPError) -> Delivery? {
            try await handle.consumer.next()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(AMQPError) -> Delivery? {
            try await handle.consumer.next()
        }
    }

    /// Cancels the consumer when nobody holds it any more.
    final class Handle: Sendable {
        let consumer: Consumer
        let mailbox: Mailbox

        init(consumer: Consumer, mailbox: Mailbox) {
            self.consumer = consumer
            self.mailbox = mailbox
        }

        deinit { mailbox.cancel(consumer) }
    }

    let handle: Handle

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handle: handle) }

    /// Returns credit for one delivery. Does nothing where the channel is gone: the broker delivers it again.
    public func acknowledge(_ delivery: Delivery) {
        handle.mailbox.post(.acknowledge(tag: delivery.tag, consumer: handle.consumer.id))
    }

    /// Gives a delivery back, or to the dead-letter exchange where `requeue` is false.
    ///
    /// Quorum queues only: a stream closes the connection on a reject.
    public func reject(_ delivery: Delivery, requeue: Bool) {
        handle.mailbox.post(.reject(tag: delivery.tag, requeue: requeue, consumer: handle.consumer.id))
    }

    /// Stops the consumer; the sequence then ends without an error. Unacknowledged deliveries go back to the queue.
    ///
    /// Returns when the broker has closed the channel, or the connection is gone, or the calling task is cancelled.
    public func cancel() async {
        handle.mailbox.cancel(handle.consumer)
        await handle.consumer.released.value(ifCancelled: ())
    }
}
