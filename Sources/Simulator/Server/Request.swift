import HTTPTypes
import NIOCore
import NIOHTTP1

/// A request whose body is read as it arrives. It belongs to the task of its connection.
struct Request {
    let method: HTTPRequest.Method
    /// The request's target as the client sent it, with the query.
    let uri: String
    /// Without the query, still percent-encoded.
    let path: String
    let query: String?
    let headers: RequestHeaders
    let body: RequestBody
    let connection: ClientConnection

    init?(_ head: HTTPRequestHead, body: RequestBody, connection: ClientConnection) {
        guard let method = HTTPRequest.Method(rawValue: head.method.rawValue) else { return nil }
        self.method = method
        uri = head.uri
        let parts = Self.originForm(head.uri).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = parts.count > 1 ? String(parts[1]) : nil
        headers = RequestHeaders(fields: head.headers)
        self.body = body
        self.connection = connection
    }

    /// A server must also take a target with a scheme and a host (RFC 9112, section 3.2.2).
    private static func originForm(_ uri: String) -> Substring {
        guard !uri.hasPrefix("/"), uri.lowercased().hasPrefix("http://") else { return uri[...] }
        let place = uri.dropFirst("http://".count).drop { $0 != "/" && $0 != "?" }
        return place.hasPrefix("/") ? place : "/" + place
    }
}

/// The header fields of a request, found by their name in any letter case.
struct RequestHeaders: Sendable {
    let fields: HTTPHeaders

    /// The authority that the client asked.
    var host: String? { fields.first(name: "host") }

    /// Several fields of one name are one list (RFC 9110, section 5.3).
    subscript(name: HTTPField.Name) -> String? {
        let values = fields[name.canonicalName]
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}

/// The body of one request, which is read once.
struct RequestBody: AsyncSequence {
    typealias Element = ByteBuffer

    struct Iterator: AsyncIteratorProtocol {
        let parts: RequestParts

        mutating func next() async throws -> ByteBuffer? { try await parts.nextOfBody() }
    }

    let parts: RequestParts

    func makeAsyncIterator() -> Iterator { Iterator(parts: parts) }

    /// The whole body. Throws a failure with status 413 if it has more than `limit` bytes.
    func collect(upTo limit: Int) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        for try await var part in self {
            guard whole.readableBytes + part.readableBytes <= limit else { throw HTTPFailure(.contentTooLarge) }
            whole.writeBuffer(&part)
        }
        return whole
    }
}

/// The requests of one connection, part by part.
final class RequestParts {
    private var parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private var isInBody = false

    init(_ inbound: NIOAsyncChannelInboundStream<HTTPServerRequestPart>) { parts = inbound.makeAsyncIterator() }

    /// The head of the next request, nil if the client sends no other. Drops what is left of the body before it.
    func nextHead() async throws -> HTTPRequestHead? {
        while let part = try await parts.next() {
            guard case .head(let head) = part else { continue }
            isInBody = true
            return head
        }
        return nil
    }

    /// Nil at the end of the body. Throws `AnswerInWork.Ended` if the connection ends before it.
    func nextOfBody() async throws -> ByteBuffer? {
        guard isInBody else { return nil }
        switch try await parts.next() {
        case .body(let part): return part
        case .end:
            isInBody = false
            return nil
        case .head, nil: throw AnswerInWork.Ended()
        }
    }
}
