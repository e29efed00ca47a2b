/// The broker's answer to one message, still to come.
public struct PublishReceipt: Sendable {
    let answer: OneShot<Result<Void, AMQPError>>

    /// Returns when the broker has confirmed.
    ///
    /// Throws `returned`, `nacked`, or `unconfirmed`; `notConnected`, `blocked`, or `stopped` where the connection was
    /// lost, blocked, or stopped before the message was written. A cancelled task gets `unconfirmed` at once.
    public func confirmed() async throws(AMQPError) {
        let cancelled = AMQPError(.unconfirmed, "the task was cancelled before the broker confirmed")
        try await answer.value(ifCancelled: .failure(cancelled)).get()
    }
}

/// A message on its way from `send` to the connection's thread.
struct PendingPublish: Sendable {
    let message: Message
    let exchange: String
    let routingKey: String
    let deadline: ContinuousClock.Instant
    let receipt: PublishReceipt
}
