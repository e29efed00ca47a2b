/// A header value of a message. Streams on RabbitMQ 3.10 keep only these types, so there are no others.
public enum FieldValue: Sendable, Hashable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
}

/// A message as AMQP 0-9-1 carries it: a body and the properties that Rollcall uses.
///
/// Every message is sent persistent. `body` must not be empty: RabbitMQ 3.10 streams mistranslate empty bodies.
public struct Message: Sendable, Hashable {
    public var body: [UInt8]
    /// AMQP property `type`.
    public var type: String
    /// AMQP property `message-id`; unique for each message.
    public var messageID: String
    public var contentType: String
    public var headers: [String: FieldValue]
    /// AMQP property `expiration`; nil means the queue's own rule.
    public var expiration: Duration?

    public init(
        body: [UInt8], type: String, messageID: String, contentType: String = "application/json",
        headers: [String: FieldValue] = [:], expiration: Duration? = nil
    ) {
        self.body = body
        self.type = type
        self.messageID = messageID
        self.contentType = contentType
        self.headers = headers
        self.expiration = expiration
    }
}

/// A message that the broker delivered to a subscription.
public struct Delivery: Sendable {
    public let message: Message
    /// Acknowledge or reject with this, on the subscription that delivered it.
    public let tag: UInt64
    public let redelivered: Bool
    /// From the header `x-stream-offset`; nil on other queues.
    public let streamOffset: Int64?
    /// From the header `x-delivery-count` of quorum queues; 0 where there is none.
    public let deliveryCount: Int64

    public init(message: Message, tag: UInt64, redelivered: Bool, streamOffset: Int64?, deliveryCount: Int64) {
        self.message = message
        self.tag = tag
        self.redelivered = redelivered
        self.streamOffset = streamOffset
        self.deliveryCount = deliveryCount
    }
}
