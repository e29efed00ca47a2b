import NIOCore

/// Finds the head of an endpoint's answer, strictly. What two parsers could read in two ways is refused, because the
/// client reads the same bytes once more.
struct AnswerHeadScanner: Sendable {
    enum Outcome: Sendable {
        case needsMore
        case head(AnswerHead)
        case refused(AnswerFault)
    }

    static let byteLimit = 64 * 1024
    static let fieldLimit = 256
    static let interimHeadLimit = 8

    private let isHeadRequest: Bool
    private var draft = AnswerHeadDraft()
    private var interimHeads = 0
    /// Offset of the line that is not complete yet.
    private var lineStart = 0
    /// No line break lies between `lineStart` and here, so that a head which comes byte by byte is searched once.
    private var searched = 0

    /// An answer to a HEAD request has no body, whatever its fields say.
    init(isHeadRequest: Bool) { self.isHeadRequest = isHeadRequest }

    /// Takes the same buffer each time, with more bytes at its end. Reads over interim heads (1xx) and over the head;
    /// the first readable byte is then the first of the body. An incomplete head stays in the buffer.
    mutating func scan(_ bytes: inout ByteBuffer) -> Outcome {
        while true {
            switch bytes.withUnsafeReadableBytes({ scanLines($0) }) {
            case .needsMore: return .needsMore
            case .refused(let fault): return .refused(fault)
            case .complete(let length):
                guard let head = bytes.readSlice(length: length) else { return .needsMore }
                guard draft.status < 200 else { return draft.finished(head, isHeadRequest: isHeadRequest) }
                interimHeads += 1
                guard interimHeads <= Self.interimHeadLimit else { return .refused(.tooManyInterimHeads) }
                (draft, lineStart, searched) = (AnswerHeadDraft(), 0, 0)
            }
        }
    }

    private enum Lines {
        case needsMore
        /// The head is complete and has this length.
        case complete(Int)
        case refused(AnswerFault)
    }

    private mutating func scanLines(_ bytes: UnsafeRawBufferPointer) -> Lines {
        let limit = min(bytes.count, Self.byteLimit)
        while true {
            guard let end = bytes.firstLineBreak(in: searched..<limit) else {
                searched = limit
                break
            }
            guard bytes[end] == .carriageReturn else { return .refused(.bareLineFeed) }
            guard end + 1 < limit else {
                searched = end
                break
            }
            guard bytes[end + 1] == .lineFeed else { return .refused(.controlCharacter) }
            let line = lineStart..<end + 2
            let isFirst = lineStart == 0
            (lineStart, searched) = (line.upperBound, line.upperBound)
            let fault: AnswerFault?
            if isFirst {
                fault = draft.readStatusLine(line, of: bytes)
            } else if line.count == 2 {
                return .complete(line.upperBound)
            } else {
                fault = draft.readField(line, of: bytes)
            }
            if let fault { return .refused(fault) }
        }
        if limit == Self.byteLimit { return .refused(.headTooLarge) }
        // A server that does not speak HTTP may never send a line feed. Its first bytes tell.
        if lineStart == 0, !AnswerHeadDraft.mayBeginStatusLine(bytes) { return .refused(.badStatusLine) }
        return .needsMore
    }
}
