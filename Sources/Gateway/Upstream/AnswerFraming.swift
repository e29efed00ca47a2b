/// Finds the end of an answer in the bytes behind its head, and where its payload lies. Bytes of payload are stepped
/// over, not read.
struct AnswerFraming: Sendable {
    enum Step: Equatable, Sendable {
        /// Payload, at these offsets.
        case payload(Range<Int>)
        /// A chunk has ended, with its CRLF. The next one, or the last, has not begun.
        case boundary
        /// The answer has ended. What lies behind the offset is not part of it.
        case ended
        /// All bytes are taken, and the answer goes on.
        case needsMore
        case malformed(AnswerFault)
    }

    private let kind: Kind
    private var chunks = ChunkFollower()
    /// What is still to come of an answer with a length.
    private var remaining = 0

    private enum Kind: UInt8 { case length, chunked, untilClose }

    init(_ framing: AnswerHead.Framing) {
        switch framing {
        case .none: kind = .length
        case .length(let length):
            kind = .length
            remaining = length
        case .chunked: kind = .chunked
        case .untilClose: kind = .untilClose
        }
    }

    var isChunked: Bool { kind == .chunked }
    /// Whether the close of the connection is the answer's end.
    var endsByClose: Bool { kind == .untilClose }
    /// Whether the next byte is the first of a chunk's size line.
    var isAtChunkBoundary: Bool { kind == .chunked && chunks.isAtBoundary }

    /// The next step from `offset` on, which moves behind what the step covers. Called until a step is none of
    /// `payload` and `boundary`.
    mutating func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Step {
        switch kind {
        case .chunked: return chunks.next(bytes, &offset)
        case .length:
            if remaining == 0 { return .ended }
            let payload = offset..<offset + min(remaining, bytes.count - offset)
            remaining -= payload.count
            offset = payload.upperBound
            return payload.isEmpty ? .needsMore : .payload(payload)
        case .untilClose:
            let payload = offset..<bytes.count
            offset = bytes.count
            return payload.isEmpty ? .needsMore : .payload(payload)
        }
    }
}
