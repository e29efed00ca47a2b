/// Takes the data of each event out of a stream of server-sent events (WHATWG HTML, 9.2.6), in pieces of any size.
struct EventStreamReader: Sendable {
    private var line: [UInt8] = []
    private var data: [UInt8]?
    /// The last byte was a CR, so an LF that follows belongs to the same line end.
    private var isAfterReturn = false

    /// The data of the events that end in these bytes.
    mutating func events(in bytes: [UInt8]) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            defer { isAfterReturn = byte == UInt8(ascii: "\r") }
            switch byte {
            case UInt8(ascii: "\n") where isAfterReturn: continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let event = endLine() { events.append(event) }
            default: line.append(byte)
            }
        }
        return events
    }

    /// The data of an event if the line is the empty one behind it.
    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty { return data.take() }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        guard name.elementsEqual("data".utf8) else { return nil }
        var value = line.dropFirst(name.count + 1)
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if data == nil { data = Array(value) } else { data? += [UInt8(ascii: "\n")] + value }
        return nil
    }
}
