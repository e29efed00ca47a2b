import CRabbitMQ
import Glibc

extension BrokerHandle {
    /// The next frame that has arrived; nil where none has. This is also what serves the heartbeats.
    func nextFrame() throws(AMQPError) -> Frame? {
        while true {
            var frame = amqp_frame_t()
            var zero = timeval()
            let status = call { amqp_simple_wait_frame_noblock(connection, &frame, &zero) }
            if status == AMQP_STATUS_TIMEOUT.rawValue {
                amqp_maybe_release_buffers(connection)
                return nil
            }
            try check(status, "receive")
            defer { amqp_maybe_release_buffers_on_channel(connection, frame.channel) }
            if let known = copy(frame) { return known }
        }
    }

    /// nil for heartbeats, which the library has already counted.
    private func copy(_ frame: amqp_frame_t) -> Frame? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            return .method(incoming(frame.payload.method), channel: frame.channel)
        case AMQP_FRAME_HEADER:
            let header = frame.payload.properties
            return .header(
                Self.properties(header.decoded), bodySize: header.body_size, channel: frame.channel)
        case AMQP_FRAME_BODY:
            let bytes = UnsafeRawBufferPointer(frame.payload.body_fragment)
            return .body(Array(bytes), channel: frame.channel)
        default:
            return nil
        }
    }

    func incoming(_ method: amqp_method_t) -> IncomingMethod {
        guard let decoded = method.decoded else { return .other(number: method.id) }
        switch method.id {
        case rollcall_basic_ack:
            let ack = decoded.load(as: amqp_basic_ack_t.self)
            return .ack(tag: ack.delivery_tag, multiple: ack.multiple != 0)
        case rollcall_basic_nack:
            let nack = decoded.load(as: amqp_basic_nack_t.self)
            return .nack(tag: nack.delivery_tag, multiple: nack.multiple != 0)
        case rollcall_basic_deliver:
            let deliver = decoded.load(as: amqp_basic_deliver_t.self)
            return .deliver(tag: deliver.delivery_tag, redelivered: deliver.redelivered != 0)
        case rollcall_basic_return:
            let returned = decoded.load(as: amqp_basic_return_t.self)
            return .returned(code: returned.reply_code, text: text(returned.reply_text))
        case rollcall_basic_cancel: return .cancel
        case rollcall_basic_qos_ok: return .qosOk
        case rollcall_basic_consume_ok: return .consumeOk
        case rollcall_channel_open_ok: return .channelOpenOk
        case rollcall_channel_close_ok: return .channelCloseOk
        case rollcall_channel_close:
            let close = decoded.load(as: amqp_channel_close_t.self)
            return .channelClose(code: close.reply_code, text: text(close.reply_text))
        case rollcall_connection_close:
            let close = decoded.load(as: amqp_connection_close_t.self)
            return .connectionClose(code: close.reply_code, text: text(close.reply_text))
        case rollcall_connection_blocked:
            return .connectionBlocked(reason: text(decoded.load(as: amqp_connection_blocked_t.self).reason))
        case rollcall_connection_unblocked: return .connectionUnblocked
        default: return .other(number: method.id)
        }
    }

    private func text(_ bytes: amqp_bytes_t) -> String { withoutCredentials(String(bytes)) }

    private static func properties(_ decoded: UnsafeMutableRawPointer?) -> MessageProperties {
        var properties = MessageProperties()
        guard let raw = decoded?.load(as: amqp_basic_properties_t.self) else { return properties }
        func has(_ flag: Int32) -> Bool { raw._flags & amqp_flags_t(flag) != 0 }
        if has(AMQP_BASIC_TYPE_FLAG) { properties.type = String(raw.type) }
        if has(AMQP_BASIC_MESSAGE_ID_FLAG) { properties.messageID = String(raw.message_id) }
        if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { properties.contentType = String(raw.content_type) }
        if has(AMQP_BASIC_EXPIRATION_FLAG) {
            properties.expiration = Int64(String(raw.expiration)).map { .milliseconds($0) }
        }
        if has(AMQP_BASIC_HEADERS_FLAG) { properties.setHeaders(raw.headers) }
        return properties
    }
}

extension MessageProperties {
    fileprivate mutating func setHeaders(_ table: amqp_table_t) {
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            guard let value = FieldValue(entry.value) else { continue }
            switch (String(entry.key), value) {
            case ("x-stream-offset", .integer(let offset)): streamOffset = offset
            case ("x-delivery-count", .integer(let count)): deliveryCount = count
            case (let key, let value): headers[key] = value
            }
        }
    }
}

extension FieldValue {
    /// nil for kinds that Rollcall has no use for (tables, arrays, floating point, decimals, raw bytes).
    fileprivate init?(_ field: amqp_field_value_t) {
        switch amqp_field_value_kind_t(UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(field.value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .integer(Int64(field.value.i8))
        case AMQP_FIELD_KIND_U8: self = .integer(Int64(field.value.u8))
        case AMQP_FIELD_KIND_I16: self = .integer(Int64(field.value.i16))
        case AMQP_FIELD_KIND_U16: self = .integer(Int64(field.value.u16))
        case AMQP_FIELD_KIND_I32: self = .integer(Int64(field.value.i32))
        case AMQP_FIELD_KIND_U32: self = .integer(Int64(field.value.u32))
        case AMQP_FIELD_KIND_I64: self = .integer(field.value.i64)
        case AMQP_FIELD_KIND_U64, AMQP_FIELD_KIND_TIMESTAMP:
            guard let number = Int64(exactly: field.value.u64) else { return nil }
            self = .integer(number)
        case AMQP_FIELD_KIND_UTF8: self = .string(String(field.value.bytes))
        default: return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate init(_ bytes: amqp_bytes_t) {
        self.init(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len)
    }
}

extension String {
    fileprivate init(_ bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(bytes), as: UTF8.self)
    }
}
