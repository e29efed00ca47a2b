import AMQP
import Catalog

/// The catalog stream, as the registrar's work needs it.
protocol CatalogStream: Sendable {
    /// What has been read of it up to now.
    var view: StreamView { get }
    /// Publishes `messages` in this order, and returns when the broker has confirmed each of them.
    func publish(_ messages: [TracedMessage]) async throws(AMQPError)
}

/// A message, and the trace of the command that it comes from.
struct TracedMessage: Sendable, Hashable {
    let message: CatalogMessage
    let trace: TraceContext?

    init(_ message: CatalogMessage, trace: TraceContext? = .current) {
        self.message = message
        self.trace = trace
    }
}

/// The stream through this process's follower.
struct FollowedStream: CatalogStream {
    let follower: CatalogFollower

    /// So many messages are under way before their confirms are waited for: enough to hide the way to the broker and
    /// its disk, few enough for the connection's buffer.
    private static let inFlight = 256
    private static let confirmTimeout = Duration.seconds(10)

    var view: StreamView {
        let readiness = follower.readiness
        let isNew = readiness.lacksCheckpoint || readiness.publishInFull
        return follower.read { catalog in
            StreamView(
                isCurrent: readiness.isCurrent && !readiness.isUnconfirmed,
                isComplete: readiness.isReady && !isNew,
                registry: catalog.registry, incarnation: catalog.version?.incarnation,
                highestRevision: catalog.highestRevision, isNew: isNew)
        }
    }

    func publish(_ messages: [TracedMessage]) async throws(AMQPError) {
        var rest = messages[...]
        while !rest.isEmpty {
            var receipts: [PublishReceipt] = []
            for item in rest.prefix(Self.inFlight) {
                receipts.append(
                    try follower.publish(item.message, trace: item.trace, timeout: Self.confirmTimeout))
            }
            for receipt in receipts { try await receipt.confirmed() }
            rest = rest.dropFirst(receipts.count)
        }
    }
}
