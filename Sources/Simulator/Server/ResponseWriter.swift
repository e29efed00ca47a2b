import Glibc
import HTTPTypes
import NIOCore
import NIOHTTP1
import Synchronization

/// Writes the responses of one connection.
struct ResponseWriter: BodyWriter {
    /// A part of this size or more is not handed over before the socket has taken it, so that no more than one such part
    /// is in memory. The asynchronous writer alone would take any amount until the event loop finds the socket full.
    private static let largePart = 1 << 16

    let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    let channel: any Channel
    /// The head of a response of which nothing has been sent.
    private var head: HTTPResponseHead?

    init(_ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>, _ channel: any Channel) {
        self.outbound = outbound
        self.channel = channel
    }

    /// Sends the whole response.
    ///
    /// - Returns: whether another one may follow on this connection
    mutating func send(_ response: Response, to request: HTTPRequestHead, isLast: Bool) async throws -> Bool {
        let length = response.body.contentLength
        // A body of unknown length is chunked, which HTTP/1.0 has not, and which an answer to HEAD cannot be.
        let needsLength = request.version == .http1_0 || request.method == .HEAD
        let isLast = isLast || !request.isKeepAlive || (needsLength && length == nil)
        let head = Self.head(response, to: request, isLast: isLast)
        if request.method == .HEAD {
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
        } else if case .bytes(let buffer) = response.body.content, buffer.readableBytes < Self.largePart {
            try await outbound.write(contentsOf: [.head(head), .body(.byteBuffer(buffer)), .end(nil)])
        } else {
            self.head = head
            var writer: any BodyWriter = self
            try await response.body.write(to: &writer)
            try await outbound.write(.end(nil))
        }
        // What the socket has not taken is lost when the channel closes.
        if isLast { try await flush() }
        return !isLast
    }

    mutating func write(_ buffer: ByteBuffer) async throws {
        if let head = head.take() { try await outbound.write(.head(head)) }
        let part = HTTPServerResponsePart.body(.byteBuffer(buffer))
        if buffer.readableBytes < Self.largePart {
            try await outbound.write(part)
        } else {
            try await channel.writeAndFlush(part).get()
        }
    }

    /// Waits until the socket has taken everything.
    private func flush() async throws {
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer()))).get()
    }

    private static func head(_ response: Response, to request: HTTPRequestHead, isLast: Bool) -> HTTPResponseHead {
        var fields = HTTPHeaders()
        fields.reserveCapacity(response.headers.count + 3)
        for field in response.headers { fields.add(name: field.name.rawName, value: field.value) }
        fields.add(name: "Date", value: CurrentDate.text)
        if let length = response.body.contentLength { fields.add(name: "Content-Length", value: String(length)) }
        if isLast {
            fields.add(name: "Connection", value: "close")
        } else if request.version == .http1_0 {
            // An HTTP/1.0 client must be told that the connection stays (RFC 9112, section 9.3).
            fields.add(name: "Connection", value: "keep-alive")
        }
        return HTTPResponseHead(
            version: request.version, status: HTTPResponseStatus(statusCode: response.status.code), headers: fields)
    }
}

/// The value of `Date` (RFC 9110, section 5.6.7), made once a second.
private enum CurrentDate {
    private static let cached = Mutex((second: 0, text: ""))

    static var text: String {
        let second = time(nil)
        return cached.withLock { cached in
            if cached.second != second { cached = (second, format(second)) }
            return cached.text
        }
    }

    private static func format(_ second: time_t) -> String {
        var (second, fields) = (second, tm())
        gmtime_r(&second, &fields)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            strftime(buffer.baseAddress!, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &fields)
            return String(cString: buffer.baseAddress!)
        }
    }
}
