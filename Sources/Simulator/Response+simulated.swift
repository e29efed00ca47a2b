import Hummingbird

extension Response {
    static func of(_ answer: Answer) -> Response {
        Response(
            status: .init(code: answer.status), headers: [.contentType: answer.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
    }

    /// Valid JSON of a size that nobody wants, with what matters at its end.
    static func padded(megabytes: Int, start: String, end: String) -> Response {
        let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000_000)
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: start))
            for _ in 0..<megabytes { try await writer.write(chunk) }
            try await writer.write(ByteBuffer(string: end))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }
}
