import CRabbitMQ

/// Memory for what one call is given: strings and tables as librabbitmq takes them. Confined to one thread.
final class LibraryMemory {
    private let pool: UnsafeMutablePointer<amqp_pool_t>

    init() {
        pool = .allocate(capacity: 1)
        pool.initialize(to: amqp_pool_t())
        init_amqp_pool(pool, 4096)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// To be called when the call is over: what was given out before is not to be used after this.
    func recycle() {
        recycle_amqp_pool(pool)
    }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { utf8 in
            guard let source = utf8.baseAddress, !utf8.isEmpty, let memory = amqp_pool_alloc(pool, utf8.count) else {
                return amqp_bytes_t(len: 0, bytes: nil)
            }
            memory.copyMemory(from: source, byteCount: utf8.count)
            return amqp_bytes_t(len: utf8.count, bytes: memory)
        }
    }

    func table(_ fields: [String: FieldValue]) -> amqp_table_t {
        table(fields.map { ($0.key, value($0.value)) })
    }

    func table(_ fields: [(String, amqp_field_value_t)]) -> amqp_table_t {
        let size = fields.count * MemoryLayout<amqp_table_entry_t>.stride
        guard !fields.isEmpty, let memory = amqp_pool_alloc(pool, size) else {
            return amqp_table_t(num_entries: 0, entries: nil)
        }
        let entries = memory.bindMemory(to: amqp_table_entry_t.self, capacity: fields.count)
        for (index, field) in fields.enumerated() {
            (entries + index).initialize(to: amqp_table_entry_t(key: bytes(field.0), value: field.1))
        }
        return amqp_table_t(num_entries: Int32(fields.count), entries: entries)
    }

    func value(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        switch value {
        case .string(let text):
            field.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            field.value.bytes = bytes(text)
        case .integer(let number):
            field.kind = UInt8(AMQP_FIELD_KIND_I64.rawValue)
            field.value.i64 = number
        case .bool(let bool):
            field.kind = UInt8(AMQP_FIELD_KIND_BOOLEAN.rawValue)
            field.value.boolean = bool ? 1 : 0
        }
        return field
    }

    func value(_ table: amqp_table_t) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        field.kind = UInt8(AMQP_FIELD_KIND_TABLE.rawValue)
        field.value.table = table
        return field
    }
}
