import Curl
import JSON

/// One answer of a model: taken from the gateway piece by piece, and printed at once.
struct ChatAnswer: Sendable {
    /// The messages so far, and how the answer is to be made.
    let request: JSONObject
    let session: Session
    /// How long nothing may come.
    let patience: Duration

    /// The text, the timing, and the end of a complete answer.
    struct Summary: Sendable {
        var text = ""
        var endpoint: String?
        /// From the request to the first piece of the answer or of its reasoning.
        var firstPiece: Duration?
        var lastPiece: Duration?
        var pieces = 0
        /// As the server counts, if it says so.
        var tokens: Int64?
        var finishReason: String?
        /// The task was cancelled before the answer was complete.
        var isInterrupted = false
    }

    /// Throws `.failure` if the answer breaks off or holds an error. If the task is cancelled, the summary holds
    /// the text that has come until then.
    func print(to output: ChatOutput) async throws -> Summary {
        let start = session.time.elapsed()
        var summary = Summary()
        do {
            let stream = try await session.client.stream(
                "/v1/chat/completions", body: .object(request), patience: patience)
            guard stream.status == 200 else { throw try await failure(stream) }
            summary.endpoint = stream.header("X-Rollcall-Endpoint")
            guard stream.header("Content-Type")?.lowercased().hasPrefix("text/event-stream") == true else {
                // A server that does not stream gives the whole answer at once.
                try take(try await Self.whole(stream), since: start, into: &summary, output)
                try output.finishLine()
                return summary
            }
            try await follow(stream, since: start, into: &summary, output)
            try output.finishLine()
        } catch {
            try output.finishLine()
            guard Task.isCancelled else { throw error }
            summary.isInterrupted = true
        }
        return summary
    }

    private func follow(
        _ stream: HTTPResponseStream, since start: Duration, into summary: inout Summary, _ output: ChatOutput
    ) async throws {
        var reader = EventStreamReader()
        var pieces = stream.makeAsyncIterator()
        while let bytes = try await Self.next(&pieces) {
            for data in reader.events(in: bytes) {
                if data.elementsEqual("[DONE]".utf8) { return }
                try take(data, since: start, into: &summary, output)
            }
        }
        guard summary.finishReason != nil else { throw Self.brokenOff("the stream ended before the answer did") }
    }

    /// Prints what one event holds. Throws if it holds an error.
    private func take(
        _ data: [UInt8], since start: Duration, into summary: inout Summary, _ output: ChatOutput
    ) throws {
        guard let event = JSONValue(data) else {
            throw CommandFailure(.failure, "the answer holds something that is not JSON")
        }
        if session.printsJSON { try output.event(data) }
        if event["error"] != .null {
            throw CommandFailure(
                error: event["error"], status: .failure,
                otherwise: event["error"].string ?? "the endpoint reported an error in its answer")
        }
        let choice = event["choices"].elements.first ?? .null
        let message = choice["delta"] == .null ? choice["message"] : choice["delta"]
        let reasoning = message["reasoning_content"].text ?? message["reasoning"].text
        let answer = message["content"].text
        if reasoning != nil || answer != nil {
            let now = session.time.elapsed() - start
            summary.firstPiece = summary.firstPiece ?? now
            summary.lastPiece = now
            summary.pieces += 1
        }
        if let reasoning, !session.printsJSON { try output.reasoning(reasoning) }
        if let answer {
            summary.text += answer
            if !session.printsJSON { try output.answer(answer) }
        }
        summary.finishReason = choice["finish_reason"].text ?? summary.finishReason
        summary.tokens = event["usage"]["completion_tokens"].integer ?? summary.tokens
    }

    /// Of an answer that is not a success.
    private func failure(_ stream: HTTPResponseStream) async throws -> CommandFailure {
        CommandFailure(
            answer: HTTPResponse(
                status: stream.status, headers: stream.headers, body: try await Self.whole(stream), url: stream.url))
    }

    private static func whole(_ stream: HTTPResponseStream) async throws -> [UInt8] {
        var body: [UInt8] = []
        var pieces = stream.makeAsyncIterator()
        while let bytes = try await next(&pieces), body.count < 16 << 20 { body += bytes }
        return body
    }

    private static func next(_ pieces: inout HTTPResponseStream.AsyncIterator) async throws -> [UInt8]? {
        do {
            return try await pieces.next()
        } catch {
            throw brokenOff(error.message, code: error.code.description)
        }
    }

    private static func brokenOff(_ reason: String, code: String? = nil) -> CommandFailure {
        CommandFailure(.failure, "the answer broke off: \(reason)", code: code)
    }
}

extension ChatAnswer.Summary {
    /// For `--stats`.
    func statistics(total: Duration) -> String {
        var fields = FieldList()
        fields.add("endpoint", endpoint)
        fields.add("first token", firstPiece.map(HumanText.seconds))
        fields.add("tokens", tokens.map { "\($0)" } ?? "about \(pieces)")
        fields.add("speed", tokensPerSecond.map { "\($0) tokens/s" })
        fields.add("total", HumanText.seconds(total))
        return fields.text
    }

    /// After the first token: the time until then is the prompt's.
    private var tokensPerSecond: String? {
        guard let firstPiece, let lastPiece, lastPiece > firstPiece else { return nil }
        let count = tokens ?? Int64(pieces)
        guard count > 1 else { return nil }
        return HumanText.decimal(Double(count - 1) / ((lastPiece - firstPiece) / .seconds(1)))
    }
}
