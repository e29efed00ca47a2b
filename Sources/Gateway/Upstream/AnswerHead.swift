import NIOCore

/// The head of an endpoint's answer. Its fields stay bytes: each is found by its place in the head.
final class AnswerHead: Sendable {
    /// How the end of the body is found (RFC 9112, section 6.3).
    enum Framing: Equatable, Sendable {
        /// There is no body: 204, 304, or an answer to HEAD.
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    /// A field's place in the head: offsets from the head's first byte.
    struct Field: Equatable, Sendable {
        private let nameStart: UInt32
        private let nameEnd: UInt32
        private let valueStart: UInt32
        private let valueEnd: UInt32
        private let lineEnd: UInt32

        init(name: Range<Int>, value: Range<Int>, lineEnd: Int) {
            nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
            nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
            self.lineEnd = UInt32(truncatingIfNeeded: lineEnd)
        }

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        /// Without the blanks around it.
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
        /// The whole line with its CRLF, to be copied as it is.
        var line: Range<Int> { Int(nameStart)..<Int(lineEnd) }
    }

    /// 200 to 599.
    let status: Int
    /// 0 or 1.
    let minorVersion: Int
    let framing: Framing
    /// Whether the connection can take another request behind this answer.
    let keepsAlive: Bool
    /// The endpoint closes an idle connection after so many seconds, if it says so (`Keep-Alive: timeout=5`).
    let keepAliveSeconds: Int?
    /// `text/event-stream` that is not compressed.
    let isEventStream: Bool
    /// `application/x-ndjson` that is not compressed.
    let isLineStream: Bool
    /// From the status line to the empty line.
    let bytes: ByteBuffer
    let reason: Range<Int>
    let fields: [Field]

    init(
        status: Int, minorVersion: Int, framing: Framing, keepsAlive: Bool, keepAliveSeconds: Int?, isEventStream: Bool,
        isLineStream: Bool, bytes: ByteBuffer, reason: Range<Int>, fields: [Field]
    ) {
        self.status = status
        self.minorVersion = minorVersion
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.keepAliveSeconds = keepAliveSeconds
        self.isEventStream = isEventStream
        self.isLineStream = isLineStream
        self.bytes = bytes
        self.reason = reason
        self.fields = fields
    }

    /// `name` is in lower case.
    func isNamed(_ field: Field, _ name: StaticString) -> Bool {
        bytes.withUnsafeReadableBytes { $0.holds(name, in: field.name) }
    }

    /// The value of the first field with this name. `name` is in lower case.
    func value(_ name: StaticString) -> Range<Int>? {
        bytes.withUnsafeReadableBytes { head in
            fields.first { head.holds(name, in: $0.name) }?.value
        }
    }

    func text(_ range: Range<Int>) -> String {
        bytes.withUnsafeReadableBytes { String(decoding: $0[range], as: UTF8.self) }
    }

    /// Whether a `Connection` field names this field: such a field concerns one connection only and is not passed on
    /// (RFC 9110, section 7.6.1).
    func isListedInConnection(_ field: Field) -> Bool {
        bytes.withUnsafeReadableBytes { head in
            var isListed = false
            for connection in fields where head.holds("connection", in: connection.name) {
                head.forEachListed(in: connection.value) { option in
                    guard option.count == field.name.count else { return }
                    let isSame = zip(head[option], head[field.name]).allSatisfy {
                        $0.lowercasedASCII == $1.lowercasedASCII
                    }
                    if isSame { isListed = true }
                }
            }
            return isListed
        }
    }
}
