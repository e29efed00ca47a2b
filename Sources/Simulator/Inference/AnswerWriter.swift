import HTTPTypes
import NIOCore

/// Writes an answer as its endpoint behaves, and notes how it ended.
struct AnswerWriter: Sendable {
    let answer: AnswerInWork
    let connection: ClientConnection
    let behaviour: Behaviour

    /// After so many tokens `stall` and `reset_midway` strike.
    private static let tokensBeforeFault = 3
    private static let hugeMegabytes = 1000

    func response(_ whole: GeneratedAnswer) -> Response {
        let buffer = ByteBuffer(bytes: whole.body)
        return response(whole.contentType, status: whole.status, length: buffer.readableBytes) { writer in
            var buffer = buffer
            guard whole.status == 200, behaviour.completionFault.cutsAnswer else {
                try await writer.write(buffer)
                return
            }
            let half = buffer.readSlice(length: buffer.readableBytes / 2) ?? ByteBuffer()
            try await writer.write(behaviour.completionFault == .closeAfterHeaders ? ByteBuffer() : half)
            try await fail()
        }
    }

    func response(_ stream: TokenStream) -> Response {
        var response = response("text/event-stream; charset=utf-8", status: 200, length: nil) { writer in
            try await write(stream, to: &writer)
        }
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    /// A gigabyte in JSON.
    func huge() -> Response {
        response("application/json", status: 200, length: nil) { writer in
            try await writer.write(
                megabytes: Self.hugeMegabytes, between: #"{"padding":""#, and: #"","choices":[]}"#
            ) {
                try answer.checkOpen()
            }
        }
    }

    private func write(_ stream: TokenStream, to writer: inout any BodyWriter) async throws {
        let fault = behaviour.completionFault
        if fault == .closeAfterHeaders {
            try await writer.write(ByteBuffer())
            try await fail()
        }
        let pause = Duration.milliseconds(behaviour.chunkIntervalMilliseconds)
        if !stream.opening.isEmpty { try await writer.write(ByteBuffer(string: stream.opening)) }
        for sequence in 0..<stream.tokens {
            if sequence > 0, pause > .zero { try await answer.pause(for: pause) }
            try answer.checkOpen()
            let token = stream.token(sequence, sentAt: Fleet.wallClock())
            if fault == .halfChunk {
                try await writer.write(ByteBuffer(bytes: token.utf8.prefix(token.utf8.count / 2)))
                try await fail()
            }
            try await writer.write(ByteBuffer(string: token))
            if sequence + 1 == Self.tokensBeforeFault, fault.cutsAnswer { try await fail() }
        }
        try await writer.write(ByteBuffer(string: stream.closing))
    }

    /// Ends an answer in its middle, as the fault is.
    private func fail() async throws -> Never {
        switch behaviour.completionFault {
        case .stall: try await answer.pause(for: .seconds(86400))
        case .resetMidway:
            answer.end(.completed)
            try await connection.reset()
        default:
            answer.end(.completed)
            try await connection.close()
        }
        throw AnswerInWork.Ended()
    }

    private func response(
        _ contentType: String, status: Int, length: Int?,
        _ write: @escaping @Sendable (inout any BodyWriter) async throws -> Void
    ) -> Response {
        let body = ResponseBody(contentLength: length) { writer in
            do {
                try await write(&writer)
                answer.end(.completed)
            } catch {
                answer.end(.closedByClient)
                throw error
            }
        }
        return Response(status: .init(code: status), headers: [.contentType: contentType], body: body)
    }
}
