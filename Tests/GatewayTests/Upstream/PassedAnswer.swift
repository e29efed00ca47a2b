import NIOCore

@testable import Gateway

/// What a client has after an endpoint's bytes came in some reads.
struct PassedAnswer {
    enum End: Equatable {
        case ended(surplus: Int)
        case broken(AnswerFault)
        /// The head was refused, or the bytes ended inside it.
        case noHead(AnswerFault?)
    }

    var end = End.noHead(nil)
    var framing: AnswerPassage.ClientFraming?
    /// All buffers that went out for the body, in order.
    var output: [ByteBuffer] = []
    /// How many of the output's bytes were out after each read.
    var sizes: [Int] = []
    var errorEvent: ByteBuffer?
    var passedPayload = 0

    var bytes: [UInt8] { output.flatMap(\.readableBytesView) }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    static func pass(
        reads: [ByteBuffer], reset: Bool = false, isHeadRequest: Bool = false, clientMinorVersion: Int = 1,
        dialect: EventDialect = .openAI
    ) -> PassedAnswer {
        var answer = PassedAnswer()
        var scanner = AnswerHeadScanner(isHeadRequest: isHeadRequest)
        var passage: AnswerPassage?
        var unread = ByteBuffer()
        var progress = AnswerPassage.Progress.going
        for read in reads {
            if passage != nil {
                progress = passage?.pass(read, into: &answer.output) ?? .going
            } else {
                unread.writeImmutableBuffer(read)
                switch scanner.scan(&unread) {
                case .needsMore: break
                case .refused(let fault):
                    answer.end = .noHead(fault)
                    return answer
                case .head(let head):
                    passage = AnswerPassage(head: head, clientMinorVersion: clientMinorVersion, dialect: dialect)
                    progress = passage?.pass(unread, into: &answer.output) ?? .going
                }
            }
            answer.sizes.append(answer.output.reduce(0) { $0 + $1.readableBytes })
        }
        guard var passage else { return answer }
        if progress == .going { progress = passage.inputClosed(wasReset: reset, into: &answer.output) }
        switch progress {
        case .ended(let surplus): answer.end = .ended(surplus: surplus)
        case .broken(let fault): answer.end = .broken(fault)
        case .going: break
        }
        answer.framing = passage.clientFraming
        answer.errorEvent = passage.errorEvent(
            code: "upstream_broken", message: "The endpoint broke off its answer.", type: "upstream_error")
        answer.passedPayload = passage.passedPayload
        return answer
    }

    /// What the client's own parser makes of its bytes: the payload, and whether the body is whole.
    func decoded(_ bytes: [UInt8]? = nil) -> (payload: [UInt8], isWhole: Bool) {
        let bytes = bytes ?? self.bytes
        guard let framing, framing != .close else { return (bytes, false) }
        let framed: AnswerHead.Framing =
            switch framing {
            case .none: .none
            case .length(let length): .length(length)
            case .chunked, .close: .chunked
            }
        var follower = AnswerFraming(framed)
        var (payload, offset): ([UInt8], Int) = ([], 0)
        return bytes.withUnsafeBytes { raw in
            while true {
                switch follower.next(raw, &offset) {
                case .payload(let range): payload += raw[range]
                case .boundary: break
                case .ended: return (payload, offset == raw.count)
                case .needsMore, .malformed: return (payload, false)
                }
            }
        }
    }
}

extension [ByteBuffer] {
    /// The text in reads of `size` bytes.
    static func cut(_ text: String, _ size: Int = .max) -> [ByteBuffer] {
        let bytes = [UInt8](text.utf8)
        return stride(from: 0, to: bytes.count, by: Swift.min(size, bytes.count)).map {
            ByteBuffer(bytes: bytes[$0..<Swift.min(bytes.count, $0 + Swift.min(size, bytes.count))])
        }
    }
}

/// `text` as a chunk.
func asChunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n" }
