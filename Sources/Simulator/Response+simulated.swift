import HTTPTypes
import NIOCore

extension Response {
    static func of(_ answer: Answer) -> Response {
        Response(
            status: .init(code: answer.status), headers: [.contentType: answer.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
    }

    /// Valid JSON of a size that nobody wants, with what matters at its end.
    static func padded(megabytes: Int, start: String, end: String) -> Response {
        let body = ResponseBody { writer in
            try await writer.write(megabytes: megabytes, between: start, and: end)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }
}

extension BodyWriter {
    /// Never more than one megabyte is in memory, and it is sent before the next. `check` is asked before each.
    mutating func write(
        megabytes: Int, between start: String, and end: String, check: () async throws -> Void = {}
    ) async throws {
        let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000_000)
        try await write(ByteBuffer(string: start))
        for _ in 0..<megabytes {
            try await check()
            try await write(part)
        }
        try await write(ByteBuffer(string: end))
    }
}
