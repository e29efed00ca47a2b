/// Puts messages together: method, header, and as many body frames as the header's size asks for.
///
/// The frames of one channel never interleave, those of different channels do (AMQP 0-9-1, 4.2.6).
struct ContentAssembler {
    enum Kind: Hashable {
        case delivery(tag: UInt64, redelivered: Bool)
        case returned(code: UInt16, text: String)
    }

    struct Content {
        var kind: Kind
        var properties: MessageProperties
        var body: [UInt8]
    }

    /// A frame came that cannot come at this place; nothing after it can be trusted.
    struct OutOfPlace: Error {}

    private struct Partial {
        var kind: Kind
        var properties: MessageProperties?
        var missing: UInt64 = 0
        var body: [UInt8] = []
    }

    private var partials: [UInt16: Partial] = [:]

    mutating func begin(_ kind: Kind, channel: UInt16) throws(OutOfPlace) {
        if partials[channel] != nil { throw OutOfPlace() }
        partials[channel] = Partial(kind: kind)
    }

    /// Returns the message where it has no body.
    mutating func header(
        _ properties: MessageProperties, bodySize: UInt64, channel: UInt16
    ) throws(OutOfPlace) -> Content? {
        guard var partial = partials.removeValue(forKey: channel), partial.properties == nil else { throw OutOfPlace() }
        if bodySize == 0 { return Content(kind: partial.kind, properties: properties, body: []) }
        partial.properties = properties
        partial.missing = bodySize
        // The size is the peer's word: no more is reserved for it than a usual message needs.
        partial.body.reserveCapacity(Int(min(bodySize, 1 << 20)))
        partials[channel] = partial
        return nil
    }

    /// Returns the message when this was its last part.
    mutating func body(_ bytes: [UInt8], channel: UInt16) throws(OutOfPlace) -> Content? {
        guard var partial = partials.removeValue(forKey: channel), let properties = partial.properties,
            UInt64(bytes.count) <= partial.missing
        else { throw OutOfPlace() }
        partial.missing -= UInt64(bytes.count)
        if partial.body.isEmpty { partial.body = bytes } else { partial.body += bytes }
        if partial.missing == 0 { return Content(kind: partial.kind, properties: properties, body: partial.body) }
        partials[channel] = partial
        return nil
    }

    /// The channel is closed: what was under way on it never completes.
    mutating func forget(channel: UInt16) {
        partials[channel] = nil
    }
}
