import HTTPTypes
import NIOCore

/// What a request is answered with. The server adds the fields that HTTP/1.1 needs.
struct Response: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields = [:]
    var body = ResponseBody()
}

/// The body of a response: bytes that are there, or code that writes them.
struct ResponseBody: Sendable {
    typealias Write = @Sendable (inout any BodyWriter) async throws -> Void

    enum Content: Sendable {
        case bytes(ByteBuffer)
        case written(Write)
    }

    /// Nil if it is not known: the body is then sent in chunks.
    let contentLength: Int?
    let content: Content

    init() { self.init(byteBuffer: ByteBuffer()) }

    init(byteBuffer: ByteBuffer) {
        contentLength = byteBuffer.readableBytes
        content = .bytes(byteBuffer)
    }

    /// - Parameter write: if it throws, the connection ends in the middle of the body
    init(contentLength: Int? = nil, _ write: @escaping Write) {
        self.contentLength = contentLength
        content = .written(write)
    }

    func write(to writer: inout any BodyWriter) async throws {
        switch content {
        case .bytes(let buffer): try await writer.write(buffer)
        case .written(let write): try await write(&writer)
        }
    }
}

/// Takes the parts of a body one after the other.
protocol BodyWriter {
    /// Sends the part at once, and with the first one the head. An empty part sends the head alone.
    mutating func write(_ buffer: ByteBuffer) async throws
}

/// Thrown in place of an answer.
struct HTTPFailure: Error {
    let status: HTTPResponse.Status
    let message: String?

    init(_ status: HTTPResponse.Status, message: String? = nil) {
        self.status = status
        self.message = message
    }

    var response: Response {
        guard let message else { return Response(status: status) }
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"error":{"message":\#(quoted(message))}}"#)))
    }
}
