/// What a client has in the end.
enum ReceivedAnswer: Sendable {
    /// The framing, or for a client of HTTP/1.0 the connection's end, says that it is all.
    case whole(WireAnswer)
    /// The connection ended before.
    case broken(WireAnswer)
    /// The connection ended before a head.
    case nothing
}

enum AnswerEnd: CaseIterable, Sendable {
    case whole
    case broken
    /// An error of the gateway's own.
    case refused

    init(_ answer: ReceivedAnswer) {
        switch answer {
        case .whole(let answer): self = answer.value("x-rollcall-endpoint") == nil ? .refused : .whole
        case .broken, .nothing: self = .broken
        }
    }
}

extension ReceivedAnswer {
    /// What is wrong with it as a reading of the endpoint's bytes; nil if nothing is.
    func problem(with bytes: [UInt8], closes: Bool, isSeed: Bool) -> String? {
        let source = WireAnswer.read(bytes)?.answer
        let hasEnded = source.map { $0.isWhole || $0.framing == .untilClose && closes } ?? false
        switch self {
        case .whole(let answer) where answer.value("x-rollcall-endpoint") == nil:
            // Of these statuses the gateway makes errors of its own.
            let isPassedOn =
                source.map { !(300..<400).contains($0.status) && ![401, 403].contains($0.status) } ?? false
            if isSeed, hasEnded, isPassedOn { return "refused" }
            return [502, 503, 504].contains(answer.status) || answer.status == 429 ? nil : "an unexpected error"
        case .whole(let answer):
            guard let source, hasEnded else { return "a clean end of an answer that has not ended" }
            if answer.status != source.status { return "another status" }
            return answer.body == source.body ? nil : "another body"
        case .broken(let answer):
            return isSeed && hasEnded ? "broken, at \(answer.body.count) bytes" : nil
        case .nothing:
            return "no answer at all"
        }
    }
}

/// A client that asks one thing after the other, on one connection as long as that lives.
final class FuzzClient {
    struct Failure: Error { let what: String }

    private let port: Int
    private var socket: TimedSocket?

    init(port: Int) { self.port = port }

    /// Numbers divisible by 5 are asked by a client of HTTP/1.0.
    func ask(_ number: Int) -> Result<ReceivedAnswer, Failure> {
        let isOld = number % 5 == 0
        let socket = self.socket ?? TimedSocket(port: port)
        self.socket = nil
        let body = "{\"model\":\"m\",\"n\":\"#\(number)#\"}"
        socket.send(
            Array(
                ("POST /v1/chat/completions HTTP/1.\(isOld ? 0 : 1)\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8))
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            if let (answer, count) = WireAnswer.read(socket.received) {
                if answer.isMalformed { return .failure(Failure(what: "the gateway's framing is malformed")) }
                if answer.isWhole {
                    socket.received.removeFirst(count)
                    if !socket.received.isEmpty { return .failure(Failure(what: "bytes behind the end")) }
                    if !isOld, !answer.closes { self.socket = socket }
                    return .success(.whole(answer))
                }
                if socket.end != .open {
                    let isWhole = answer.framing == .untilClose && socket.end == .closed
                    return .success(isWhole ? .whole(answer) : .broken(answer))
                }
            } else if socket.end != .open {
                return .success(.nothing)
            }
            guard ContinuousClock.now < deadline, socket.fill(milliseconds: 5000) else {
                return .failure(Failure(what: "hangs"))
            }
        }
    }
}
