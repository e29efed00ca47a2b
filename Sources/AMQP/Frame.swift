/// What the broker sent, copied out of the library's buffers.
enum Frame {
    case method(IncomingMethod, channel: UInt16)
    /// Begins the content of the method before it on the same channel.
    case header(MessageProperties, bodySize: UInt64, channel: UInt16)
    case body([UInt8], channel: UInt16)
}

enum IncomingMethod: Hashable {
    case connectionClose(code: UInt16, text: String)
    case connectionBlocked(reason: String)
    case connectionUnblocked
    case channelOpenOk
    case channelClose(code: UInt16, text: String)
    case channelCloseOk
    case qosOk
    case consumeOk
    case cancel
    case deliver(tag: UInt64, redelivered: Bool)
    case returned(code: UInt16, text: String)
    case ack(tag: UInt64, multiple: Bool)
    case nack(tag: UInt64, multiple: Bool)
    case other(number: UInt32)
}

/// What a session sends besides messages.
enum OutgoingMethod: Hashable {
    case channelOpen
    case channelClose
    case channelCloseOk
    case connectionCloseOk
    case qos(prefetch: UInt16)
    case consume(queue: String, arguments: [String: FieldValue])
    case ack(tag: UInt64)
    case reject(tag: UInt64, requeue: Bool)
}

/// The properties of a content header that Rollcall uses.
struct MessageProperties: Hashable {
    var type = ""
    var messageID = ""
    var contentType = ""
    var headers: [String: FieldValue] = [:]
    var expiration: Duration?
    /// The broker's own headers, taken out of `headers`, so that a message reads as it was published.
    var streamOffset: Int64?
    var deliveryCount: Int64 = 0
}
