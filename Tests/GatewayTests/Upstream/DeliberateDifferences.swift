@testable import Gateway

/// Where our reading of an answer differs from NIO's, and why. Everything else is a fault of one of the two.
enum DeliberateDifference: String, CaseIterable {
    /// Clients cannot be sent such a status, and nobody asked for another protocol.
    case statusOutOfRange
    /// NIO reads an unknown coding until the close, and `gzip, chunked` as chunks. We refuse both: the client's head
    /// could not say what the body is.
    case transferEncodingIsNotJustChunked
    /// NIO skips line breaks before a status line. No server that we know sends them.
    case lineBreakBeforeTheStatusLine
    /// NIO lets control characters pass in the reason.
    case controlCharacterInTheReason
    /// NIO takes `;;`, `;a=`, and `;a=b"c"` in a chunk's size line. RFC 9112, section 7.1.1, does not.
    case malformedExtension
    /// NIO refuses a second Content-Length even if it is equal.
    case equalLengthsTwice
    /// NIO reads nothing behind an interim head with `Connection: close`, or of HTTP/1.0, though the answer is still to
    /// come.
    case closeInAnInterimHead
    /// NIO refuses a Content-Length in the trailers of a chunked body. There it means nothing.
    case lengthInTheTrailers

    static func between(_ ours: OurAnswer, _ reference: ReferenceAnswer, of bytes: [UInt8]) -> DeliberateDifference? {
        allCases.first { $0.explains(ours, reference, String(decoding: bytes, as: UTF8.self).lowercased()) }
    }

    private func explains(_ ours: OurAnswer, _ reference: ReferenceAnswer, _ text: String) -> Bool {
        let isRefusedByNIO = reference.status == nil && ours.answer.status != nil
        let lengths = ours.answer.fields.filter { $0[0].lowercased() == "content-length" }.count
        return switch self {
        case .statusOutOfRange: ours.fault == .badStatus || ours.fault == .switchesProtocols
        case .transferEncodingIsNotJustChunked: ours.fault == .badTransferEncoding
        case .lineBreakBeforeTheStatusLine:
            (ours.fault == .badStatusLine || ours.fault == .bareLineFeed)
                && (text.utf8.first.map(Self.isLineBreak) ?? false || Self.hasLineBreakBehindAHead(text))
        case .controlCharacterInTheReason: ours.fault == .controlCharacter && reference.status != nil
        case .malformedExtension: ours.fault == .badExtension && reference.status == ours.answer.status
        case .equalLengthsTwice: isRefusedByNIO && lengths > 1
        case .closeInAnInterimHead:
            isRefusedByNIO && Self.holds(String(text.prefix(10)), ["http/1.1 1", "http/1.0 1"])
                && Self.holds(text, ["connection: close", "http/1.0 1"])
        case .lengthInTheTrailers:
            ours.answer.status == reference.status && ours.answer.body == reference.body && !reference.hasEnded
                && Self.holds(text, ["content-length:"])
        }
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == .lineFeed || byte == .carriageReturn }

    private static func hasLineBreakBehindAHead(_ text: String) -> Bool {
        holds(text, ["\r\n\r\n\r", "\r\n\r\n\n"]) && text.utf8.starts(with: "http/1.1 1".utf8)
    }

    private static func holds(_ text: String, _ parts: [String]) -> Bool {
        let bytes = Array(text.utf8)
        return parts.contains { part in
            let part = Array(part.utf8)
            return bytes.indices.contains { bytes[$0...].starts(with: part) }
        }
    }
}
