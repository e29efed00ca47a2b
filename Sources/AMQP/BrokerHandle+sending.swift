import CRabbitMQ

extension BrokerHandle {
    /// Writes one message: mandatory and persistent. `nextFrame` is to be called before, until it gives nil: a write
    /// of 0.11 does not look at its heartbeats.
    func publish(_ publish: PendingPublish, channel: UInt16) throws(AMQPError) {
        defer { memory.recycle() }
        let message = publish.message
        var properties = amqp_basic_properties_t()
        properties._flags = amqp_flags_t(
            AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG
                | AMQP_BASIC_TYPE_FLAG)
        properties.content_type = memory.bytes(message.contentType)
        properties.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        properties.message_id = memory.bytes(message.messageID)
        properties.type = memory.bytes(message.type)
        if !message.headers.isEmpty {
            properties._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
            properties.headers = memory.table(message.headers)
        }
        if let expiration = message.expiration {
            properties._flags |= amqp_flags_t(AMQP_BASIC_EXPIRATION_FLAG)
            properties.expiration = memory.bytes(String(max(0, Int64(expiration / .milliseconds(1)))))
        }
        let exchange = memory.bytes(publish.exchange)
        let routingKey = memory.bytes(publish.routingKey)
        let status = message.body.withUnsafeBytes { body in
            // The library only reads it.
            let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            return call {
                amqp_basic_publish(connection, channel, exchange, routingKey, 1, 0, &properties, bytes)
            }
        }
        try check(status, "publish")
    }

    func send(_ method: OutgoingMethod, channel: UInt16) throws(AMQPError) {
        defer { memory.recycle() }
        let status: Int32
        switch method {
        case .channelOpen:
            status = send(rollcall_channel_open, amqp_channel_open_t(), channel)
        case .channelClose:
            let close = amqp_channel_close_t(
                reply_code: UInt16(AMQP_REPLY_SUCCESS), reply_text: memory.bytes("done"), class_id: 0, method_id: 0)
            status = send(rollcall_channel_close, close, channel)
        case .channelCloseOk:
            status = send(rollcall_channel_close_ok, amqp_channel_close_ok_t(), channel)
        case .connectionCloseOk:
            status = send(rollcall_connection_close_ok, amqp_connection_close_ok_t(), channel)
        case .qos(let prefetch):
            let qos = amqp_basic_qos_t(prefetch_size: 0, prefetch_count: prefetch, global: 0)
            status = send(rollcall_basic_qos, qos, channel)
        case .consume(let queue, let arguments):
            var consume = amqp_basic_consume_t()
            consume.queue = memory.bytes(queue)
            consume.arguments = memory.table(arguments)
            status = send(rollcall_basic_consume, consume, channel)
        case .ack(let tag):
            status = call { amqp_basic_ack(connection, channel, tag, 0) }
        case .reject(let tag, let requeue):
            status = call { amqp_basic_reject(connection, channel, tag, requeue ? 1 : 0) }
        }
        try check(status, "send")
    }

    private func send<Method>(_ number: amqp_method_number_t, _ method: Method, _ channel: UInt16) -> Int32 {
        withUnsafePointer(to: method) { pointer in
            // The library only reads it.
            call { amqp_send_method(connection, channel, number, UnsafeMutableRawPointer(mutating: pointer)) }
        }
    }
}
