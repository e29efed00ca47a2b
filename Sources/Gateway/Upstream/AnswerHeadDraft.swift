import NIOCore

/// What the lines of a head have said so far.
struct AnswerHeadDraft: Sendable {
    private(set) var status = 0
    private var minorVersion = 0
    private var reason = 0..<0
    private var fields: [AnswerHead.Field] = []
    private var length: Int?
    private var isChunked = false
    private var closes = false
    private var asksToKeepAlive = false
    private var keepAliveSeconds: Int?
    private var hasContentType = false
    private var isEventStreamType = false
    private var isLineStreamType = false
    private var isEncoded = false

    private static let version: StaticString = "HTTP/1."

    static func mayBeginStatusLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = min(bytes.count, version.utf8CodeUnitCount)
        return (0..<count).allSatisfy { bytes[$0] == version.utf8Start[$0] }
    }

    /// `HTTP/1.1 200 OK` and CRLF. The reason, and the space before it, may be missing.
    mutating func readStatusLine(_ line: Range<Int>, of bytes: UnsafeRawBufferPointer) -> AnswerFault? {
        let end = line.upperBound - 2
        let codeEnd = line.lowerBound + 12
        guard end >= codeEnd, Self.mayBeginStatusLine(bytes) else { return .badStatusLine }
        switch bytes[7] {
        case UInt8(ascii: "0"): minorVersion = 0
        case UInt8(ascii: "1"): minorVersion = 1
        default: return .badStatusLine
        }
        guard bytes[8] == .space, let code = bytes.decimal(in: 9..<codeEnd) else { return .badStatusLine }
        guard code != 101 else { return .switchesProtocols }
        guard (100...599).contains(code) else { return .badStatus }
        status = code
        guard end > codeEnd else { return nil }
        guard bytes[codeEnd] == .space else { return .badStatusLine }
        reason = codeEnd + 1..<end
        guard bytes.isFieldText(reason) else { return .controlCharacter }
        return nil
    }

    mutating func readField(_ line: Range<Int>, of bytes: UnsafeRawBufferPointer) -> AnswerFault? {
        let end = line.upperBound - 2
        guard !bytes[line.lowerBound].isBlank else { return .foldedLine }
        var index = line.lowerBound
        while index < end, bytes[index].isTokenCharacter { index += 1 }
        guard index > line.lowerBound, index < end, bytes[index] == .colon else { return .badFieldName }
        let name = line.lowerBound..<index
        index += 1
        let value = bytes.trimmed(index..<end)
        guard bytes.isFieldText(value) else { return .controlCharacter }
        guard fields.count < AnswerHeadScanner.fieldLimit else { return .headTooLarge }
        if fields.isEmpty { fields.reserveCapacity(16) }
        fields.append(AnswerHead.Field(name: name, value: value, lineEnd: line.upperBound))
        return understand(name, value, of: bytes)
    }

    /// Few names have these lengths, so most fields cost one comparison of numbers.
    private mutating func understand(
        _ name: Range<Int>, _ value: Range<Int>, of bytes: UnsafeRawBufferPointer
    ) -> AnswerFault? {
        switch name.count {
        case 10 where bytes.holds("connection", in: name): readConnection(value, of: bytes)
        case 10 where bytes.holds("keep-alive", in: name): readKeepAlive(value, of: bytes)
        case 12 where bytes.holds("content-type", in: name): readContentType(value, of: bytes)
        case 14 where bytes.holds("content-length", in: name):
            guard let number = bytes.decimal(in: value), length ?? number == number, !Self.hasTab(behind: value, bytes)
            else { return .badLength }
            length = number
        case 16 where bytes.holds("content-encoding", in: name):
            if !bytes.holds("identity", in: value) { isEncoded = true }
        case 17 where bytes.holds("transfer-encoding", in: name):
            guard !isChunked, bytes.holds("chunked", in: value), !Self.hasTab(behind: value, bytes) else {
                return .badTransferEncoding
            }
            isChunked = true
        default: break
        }
        return isChunked && length != nil ? .twoFramings : nil
    }

    /// llhttp does not take a tab for a blank there: it refuses the length, and reads `chunked` and a tab until the close.
    private static func hasTab(behind value: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes[value.upperBound...].prefix(while: \.isBlank).contains(.tab)
    }

    private mutating func readConnection(_ value: Range<Int>, of bytes: UnsafeRawBufferPointer) {
        bytes.forEachListed(in: value) { option in
            if bytes.holds("close", in: option) { closes = true }
            if bytes.holds("keep-alive", in: option) { asksToKeepAlive = true }
        }
    }

    private mutating func readKeepAlive(_ value: Range<Int>, of bytes: UnsafeRawBufferPointer) {
        let timeout: StaticString = "timeout="
        bytes.forEachListed(in: value) { parameter in
            let nameEnd = parameter.lowerBound + timeout.utf8CodeUnitCount
            guard parameter.upperBound > nameEnd, bytes.holds(timeout, in: parameter.lowerBound..<nameEnd) else {
                return
            }
            keepAliveSeconds = bytes.decimal(in: nameEnd..<parameter.upperBound) ?? keepAliveSeconds
        }
    }

    private mutating func readContentType(_ value: Range<Int>, of bytes: UnsafeRawBufferPointer) {
        let end = bytes[value].firstIndex(of: UInt8(ascii: ";")) ?? value.upperBound
        let type = bytes.trimmed(value.lowerBound..<end)
        isEventStreamType = bytes.holds("text/event-stream", in: type) && (isEventStreamType || !hasContentType)
        isLineStreamType = bytes.holds("application/x-ndjson", in: type) && (isLineStreamType || !hasContentType)
        hasContentType = true
    }

    func finished(_ head: ByteBuffer, isHeadRequest: Bool) -> AnswerHeadScanner.Outcome {
        let framing: AnswerHead.Framing =
            if isHeadRequest || status == 204 || status == 304 {
                .none
            } else if isChunked {
                .chunked
            } else if let length {
                .length(length)
            } else {
                .untilClose
            }
        // Chunks in an answer of HTTP/1.0 are read, but RFC 9112, section 6.1, does not trust the connection then.
        let isPersistent = minorVersion == 1 ? !closes : asksToKeepAlive && !closes && !isChunked
        return .head(
            AnswerHead(
                status: status, minorVersion: minorVersion, framing: framing,
                keepsAlive: isPersistent && framing != .untilClose, keepAliveSeconds: keepAliveSeconds,
                isEventStream: isEventStreamType && !isEncoded, isLineStream: isLineStreamType && !isEncoded,
                bytes: head, reason: reason, fields: fields))
    }
}
