extension Message {
    /// RabbitMQ 4.0 takes no more (`max_message_size`), 3.10 eight times as much.
    static let maximumBodyBytes = 16 << 20

    /// Throws `invalidMessage` for what the wire format has no room for.
    ///
    /// The library does not check: it cuts the length of a short string to eight bits, which makes the broker close the
    /// connection, and with it fail the messages of everybody else. A body that is too long closes the channel, and
    /// does the same.
    func validate(exchange: String, routingKey: String) throws(AMQPError) {
        if body.isEmpty { throw AMQPError(.invalidMessage, "the body is empty: streams do not carry that") }
        if body.count > Self.maximumBodyBytes {
            throw AMQPError(.invalidMessage, "the body is longer than \(Self.maximumBodyBytes) bytes")
        }
        var shortStrings = [
            ("exchange", exchange), ("routing key", routingKey), ("type", type), ("message id", messageID),
            ("content type", contentType),
        ]
        var headerBytes = 0
        for (name, value) in headers {
            shortStrings.append(("name of a header", name))
            headerBytes += name.utf8.count + 16
            if case .string(let text) = value { headerBytes += text.utf8.count }
        }
        for (what, text) in shortStrings where text.utf8.count > 255 {
            throw AMQPError(.invalidMessage, "the \(what) is longer than 255 bytes")
        }
        // A content header is one frame, of at most 128 KiB.
        if headerBytes > 64 << 10 { throw AMQPError(.invalidMessage, "the headers are longer than 64 KiB") }
    }
}
