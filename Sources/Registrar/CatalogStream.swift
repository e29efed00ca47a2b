import AMQP
import Catalog

/// The catalog stream, as the registrar's work needs it.
protocol CatalogStream: Sendable {
    /// What has been read of it up to now.
    var view: StreamView { get }
    /// The records that it shows now.
    var records: StreamRecords { get }
    /// Publishes `messages` in this order, and returns when the broker has confirmed each of them.
    func publish(_ messages: [TracedMessage]) async throws(AMQPError)
}

/// Live records as a stream shows them, by their ids.
struct StreamRecords: Sendable {
    var endpoints: [String: EndpointRecord] = [:]
    var registrations: [String: RegistrationRecord] = [:]

    /// The generation of an endpoint that is stamped anew with `revision`: that of the snapshots that the stream has, if
    /// they are of the same server.
    func generation(of record: EndpointRecord, stampedWith revision: Int64) -> Int64 {
        guard let shown = endpoints[record.id], !CommandRules.needsNewGeneration(shown, record) else { return revision }
        return shown.generation
    }

    /// The same for the verifications of a registration.
    func generation(of record: RegistrationRecord, stampedWith revision: Int64) -> Int64 {
        guard let shown = registrations[record.name], shown.manifest == record.manifest else { return revision }
        return shown.generation
    }
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

    /// Messages, and bytes of them, that are under way before their confirms are waited for: enough to hide the way to
    /// the broker and its disk. A connection holds 64 MB; a sender that it refuses would begin again from the first message.
    private static let inFlight = (messages: 256, bytes: 16 << 20)
    private static let confirmTimeout = Duration.seconds(10)

    var view: StreamView {
        let readiness = follower.readiness
        let isNew = readiness.lacksCheckpoint || readiness.publishInFull
        let requests = follower.catalogRequests
        return follower.read { catalog in
            StreamView(
                isCurrent: readiness.isCurrent && !readiness.isUnconfirmed,
                isComplete: readiness.isReady && !isNew,
                registry: catalog.registry, incarnation: catalog.version?.incarnation,
                highestRevision: catalog.highestRevision, isNew: isNew, requests: requests)
        }
    }

    var records: StreamRecords {
        follower.read { catalog in
            StreamRecords(
                endpoints: Dictionary(
                    catalog.unsortedEndpoints.map { ($0.record.id, $0.record) }, uniquingKeysWith: { $1 }),
                registrations: Dictionary(
                    catalog.registrations.map { ($0.record.name, $0.record) }, uniquingKeysWith: { $1 }))
        }
    }

    func publish(_ messages: [TracedMessage]) async throws(AMQPError) {
        var receipts: [PublishReceipt] = []
        var bytes = 0
        for item in messages {
            let encoded = try item.message.encoded(trace: item.trace)
            if receipts.count == Self.inFlight.messages || bytes + encoded.body.count > Self.inFlight.bytes {
                for receipt in receipts { try await receipt.confirmed() }
                receipts = []
                bytes = 0
            }
            receipts.append(try follower.publish(encoded, timeout: Self.confirmTimeout))
            bytes += encoded.body.count
        }
        for receipt in receipts { try await receipt.confirmed() }
    }
}
