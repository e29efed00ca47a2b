import NIOCore

@testable import Gateway

/// What our scanner and follower make of an answer.
struct OurAnswer {
    var answer = ReferenceAnswer()
    var isEventStream = false
    var framing: AnswerHead.Framing?
    var fault: AnswerFault?

    static func decode(_ reads: [ByteBuffer], isHeadRequest: Bool) -> OurAnswer {
        var ours = OurAnswer()
        var scanner = AnswerHeadScanner(isHeadRequest: isHeadRequest)
        var framing: AnswerFraming?
        var unread = ByteBuffer()
        for read in reads {
            unread.writeImmutableBuffer(read)
            if framing == nil {
                switch scanner.scan(&unread) {
                case .needsMore: continue
                case .refused(let fault):
                    ours.fault = fault
                    return ours
                case .head(let head):
                    framing = AnswerFraming(head.framing)
                    ours.take(head)
                }
            }
            guard !ours.follow(&framing, unread) else { return ours }
            unread.clear()
        }
        ours.answer.hasEnded = framing?.endsByClose ?? false
        return ours
    }

    private mutating func take(_ head: AnswerHead) {
        framing = head.framing
        isEventStream = head.isEventStream && head.framing != .none
        answer.status = head.status
        answer.minorVersion = head.minorVersion
        answer.fields = head.fields.map { [head.text($0.name), head.text($0.value)] }
    }

    /// Returns true at the end.
    private mutating func follow(_ framing: inout AnswerFraming?, _ bytes: ByteBuffer) -> Bool {
        bytes.withUnsafeReadableBytes { raw in
            var offset = 0
            while let step = framing?.next(raw, &offset) {
                switch step {
                case .payload(let range): answer.body += raw[range]
                case .boundary: break
                case .needsMore: return false
                case .ended:
                    answer.hasEnded = true
                    return true
                case .malformed(let fault):
                    self.fault = fault
                    return true
                }
            }
            return false
        }
    }
}
