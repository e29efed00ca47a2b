public import AMQP

/// Every queue, its arguments, and every message type, on one page.
///
/// Arguments cannot be changed on a live queue, which is why the names carry a version. Each queue has a direct
/// exchange of its own (`exchange(to:)`), bound with an empty routing key: everything is published through these.
public struct BrokerMap: Sendable, Hashable {
    /// Prefix of every name, so that two deployments can share a broker.
    public let namespace: String

    public init(namespace: String = "rollcall") { self.namespace = namespace }

    /// Stream: all that changes what a client can see.
    public var catalog: String { "\(namespace).catalog.v1" }
    /// Stream: the catalog as images, from the active scheduler, for processes that start.
    public var images: String { "\(namespace).images.v1" }
    /// Gateways → the active registrar.
    public var commands: String { "\(namespace).commands.v1" }
    /// Pollers → the active scheduler.
    public var ticks: String { "\(namespace).ticks.v1" }
    /// Scheduler → pollers, competing.
    public var polls: String { "\(namespace).polls.v2" }
    /// The active registrar → pollers, competing: generations to be run on endpoints.
    public var verifications: String { "\(namespace).verifications.v1" }
    /// Poison, for a person to look at.
    public var dead: String { "\(namespace).dead.v1" }

    /// The exchange that leads to `queue`. Its name is not the queue's: RabbitMQ's rights go by names alone, and who may
    /// write to the one and read from the other could otherwise bind them.
    public static func exchange(to queue: String) -> String { queue + ".in" }

    /// AMQP property `type` of messages that are not on the catalog stream (those: `CatalogMessage.type`).
    public enum MessageType {
        public static let command = "command"
        public static let housekeeping = "housekeeping"
        public static let tick = "tick"
        public static let pollJob = "poll.job"
        public static let verifyJob = "verify.job"
        public static let imagePart = "image.part"
    }

    /// Value of the header `schema` of every message.
    public static let schema: Int64 = 1
    /// A proposal to be the one that does the registrar's periodic work is worthless after this.
    public static let housekeepingExpiration = Duration.seconds(3)

    /// Everything that a deployment declares.
    public var topology: Topology { topology(of: queues) }

    /// The queues and exchanges without which a process cannot work: it waits until they exist. The image stream is not one
    /// of them.
    public var requiredTopology: Topology { topology(of: queues.filter { $0.name != images }) }

    public var imageTopology: Topology { topology(of: queues.filter { $0.name == images }) }

    private func topology(of queues: [Queue]) -> Topology {
        Topology(
            exchanges: queues.map { Exchange(name: Self.exchange(to: $0.name), kind: .direct) },
            queues: queues,
            bindings: queues.map { Binding(queue: $0.name, exchange: Self.exchange(to: $0.name), routingKey: "") },
            remedy: "run `rollcall topology apply` as a user that may")
    }

    private var queues: [Queue] {
        [
            Queue(
                name: catalog,
                arguments: [
                    "x-queue-type": .string("stream"),
                    "x-max-age": .string("1D"),
                    "x-max-length-bytes": .integer(2_000_000_000),
                    "x-stream-max-segment-size-bytes": .integer(16_000_000),
                ]),
            // No age limit: the newest images must stay however long no scheduler runs. Retention deletes whole segments and
            // counts the newest ones first, so two images of up to 100 MB each always stay.
            Queue(
                name: images,
                arguments: [
                    "x-queue-type": .string("stream"),
                    "x-max-length-bytes": .integer(256_000_000),
                    "x-stream-max-segment-size-bytes": .integer(16_000_000),
                ]),
            Queue(
                name: commands,
                arguments: [
                    "x-queue-type": .string("quorum"),
                    "x-single-active-consumer": .bool(true),
                    "x-delivery-limit": .integer(20),
                    "x-dead-letter-exchange": .string(Self.exchange(to: dead)),
                    "x-dead-letter-routing-key": .string(""),
                    "x-dead-letter-strategy": .string("at-least-once"),
                    "x-overflow": .string("reject-publish"),
                    "x-max-length-bytes": .integer(64_000_000),
                ]),
            Queue(
                name: ticks,
                arguments: [
                    "x-queue-type": .string("quorum"),
                    "x-single-active-consumer": .bool(true),
                    "x-message-ttl": .integer(3000),
                    "x-max-length": .integer(64),
                ]),
            Queue(
                name: polls,
                arguments: [
                    "x-queue-type": .string("quorum"),
                    "x-message-ttl": .integer(10_000),
                    "x-delivery-limit": .integer(3),
                    "x-max-length": .integer(2000),
                ]),
            Queue(
                name: verifications,
                arguments: [
                    "x-queue-type": .string("quorum"),
                    "x-message-ttl": .integer(30_000),
                    "x-delivery-limit": .integer(3),
                    "x-max-length": .integer(2000),
                ]),
            Queue(
                name: dead,
                arguments: [
                    "x-queue-type": .string("quorum"),
                    "x-max-length-bytes": .integer(64_000_000),
                    "x-overflow": .string("drop-head"),
                ]),
        ]
    }
}
