import Catalog
import Glibc
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Stands before NIO's decoder and answers the one request that comes most: `GET /v1/models`, in a form that leaves no
/// doubt what it means. All other bytes go on to the decoder untouched.
///
/// A request is answered here only if nothing of another request is on its way: the decoder has been given whole heads
/// only, and the client handler waits for a request. A request that was answered once is answered again, within the
/// same second and from the same view of the catalog, after a comparison of its bytes.
final class RequestGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private struct Memo {
        let request: ByteBuffer
        /// All of the answer's head but `X-Request-Id` and the empty line.
        let head: ByteBuffer
        let requestID: String?
        let body: ByteBuffer
        /// Weak, so that an idle connection keeps no old view, and no later view in the same memory is taken for it.
        weak var view: CatalogView?
        let second: Int
    }

    private let client: ClientHandler
    private var memo: Memo?
    /// The bytes that the decoder has been given end behind an empty line. It may hold half a head otherwise.
    private var isAligned = true

    private let answersLists: Bool

    /// - Parameter answersLists: false passes everything to the decoder
    init(client: ClientHandler, answersLists: Bool) {
        self.client = client
        self.answersLists = answersLists
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        client.noteBeginning(bytes)
        if isAligned, answersLists {
            while client.isIdle, client.isWritable, bytes.readableBytes > 0, answer(&bytes) {}
        }
        guard bytes.readableBytes > 0 else { return }
        client.noteBytes()
        isAligned = bytes.endsBehindEmptyLine
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A decoder that has stopped throws away what it holds if it hears of the end, so that it hears of it no more.
        if case .inputClosed? = event as? ChannelEvent, client.isReplacingDecoder {
            client.onDecoderReplaced = { context.fireUserInboundEventTriggered(event) }
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Answers the request at the front of `bytes` and takes it off; false if the decoder has to see it.
    private func answer(_ bytes: inout ByteBuffer) -> Bool {
        let view = client.gateway.inference.catalog.view
        let second = client.loop.currentSecond
        if let memo, memo.view === view, memo.second == second, bytes.starts(with: memo.request),
            !client.gateway.drain.isStopping
        {
            bytes.moveReaderIndex(forwardBy: memo.request.readableBytes)
            send(memo)
            return true
        }
        guard let request = ListRequest(bytes), let new = memo(of: request, view, second) else {
            return false
        }
        memo = new
        bytes.moveReaderIndex(forwardBy: new.request.readableBytes)
        send(new)
        return true
    }

    private func memo(of list: ListRequest, _ view: CatalogView, _ second: Int) -> Memo? {
        guard !client.gateway.drain.isStopping else { return nil }
        let request = Request(
            list.head, RequestHeaders(list.head.headers), isFromLoopback: client.isFromLoopback)
        guard var response = client.gateway.responder.listed(request) else { return nil }
        let requestID = request.headers[.requestID].flatMap { RequestIdentity.isSane($0) ? $0 : nil }
        response.headers[.requestID] = nil
        var head = client.loop.makeBuffer(capacity: 512)
        let body = response.write(date: client.loop.currentDate, connection: nil, isHead: false, into: &head)
        // The empty line comes behind X-Request-Id.
        head.moveWriterIndex(to: head.writerIndex - 2)
        return Memo(
            request: list.bytes, head: head, requestID: requestID, body: body ?? ByteBuffer(), view: view,
            second: second)
    }

    private func send(_ memo: Memo) {
        var head = client.loop.makeBuffer(capacity: memo.head.readableBytes + 160)
        head.writeImmutableBuffer(memo.head)
        head.writeStaticString("X-Request-Id: ")
        head.writeString(memo.requestID ?? RequestIdentity.make())
        head.writeStaticString("\r\n\r\n")
        client.write(head)
        client.write(memo.body)
        client.wasActive = true
    }
}

/// A request for the list that is recognised from its bytes.
private struct ListRequest {
    /// Longer heads go through the decoder.
    static let maximumBytes = 4096
    private static let line = Array("GET /v1/models HTTP/1.1\r\n".utf8)
    /// Fields that change more than the list's own answer, or how the connection goes on.
    private static let notHere = FieldNameSet([
        "content-length", "transfer-encoding", "expect", "upgrade", "origin", "te", "trailer", "anthropic-version",
        "access-control-request-method", "access-control-request-headers", "proxy-connection", "keep-alive",
    ])

    let head: HTTPRequestHead
    let bytes: ByteBuffer

    /// nil for anything that is not certainly a whole request for the list without a body, in HTTP/1.1, on a connection
    /// that stays open. A field's name is a token, and its value is visible ASCII, spaces, and tabs; no tab stands at
    /// either end, since NIO's decoder leaves some of those in the value.
    init?(_ buffer: ByteBuffer) {
        let found = buffer.withUnsafeReadableBytes { raw -> (headers: HTTPHeaders, count: Int)? in
            let bytes = UnsafeRawBufferPointer(rebasing: raw.prefix(Self.maximumBytes))
            guard bytes.starts(with: Self.line) else { return nil }
            var headers = HTTPHeaders()
            var position = Self.line.count
            var hosts = 0
            while position < bytes.count {
                guard let end = bytes[position...].firstIndex(of: 0x0D), end + 1 < bytes.count, bytes[end + 1] == 0x0A
                else { return nil }
                if end == position { return hosts == 1 ? (headers, end + 2) : nil }
                guard let (name, value) = Self.field(bytes[position..<end]), headers.count < 64 else { return nil }
                if name.isASCIIEqual("host") { hosts += 1 }
                if name.isASCIIEqual("connection"), !value.isASCIIEqual("keep-alive") { return nil }
                headers.add(name: name, value: value)
                position = end + 2
            }
            return nil
        }
        guard let found, let bytes = buffer.getSlice(at: buffer.readerIndex, length: found.count) else { return nil }
        head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/models", headers: found.headers)
        self.bytes = bytes
    }

    private static func field(_ line: Slice<UnsafeRawBufferPointer>) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
        let name = line[..<colon]
        guard name.allSatisfy(\.isTokenCharacter),
            line[colon...].allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 })
        else {
            return nil
        }
        let isElsewhere = UnsafeRawBufferPointer(rebasing: name).withMemoryRebound(to: UInt8.self) {
            notHere.contains($0)
        }
        guard !isElsewhere else { return nil }
        var value = line[line.index(after: colon)...]
        while value.first == 0x20 { value = value.dropFirst() }
        while value.last == 0x20 { value = value.dropLast() }
        guard value.first != 0x09, value.last != 0x09 else { return nil }
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }
}

extension ByteBuffer {
    /// The last bytes are CR, LF, CR, LF.
    fileprivate var endsBehindEmptyLine: Bool {
        getInteger(at: writerIndex - 4, as: UInt32.self) == 0x0D0A_0D0A && readableBytes >= 4
    }

    fileprivate func starts(with other: ByteBuffer) -> Bool {
        guard readableBytes >= other.readableBytes else { return false }
        return withUnsafeReadableBytes { own in
            other.withUnsafeReadableBytes { other in
                guard let own = own.baseAddress, let start = other.baseAddress else { return other.isEmpty }
                return memcmp(own, start, other.count) == 0
            }
        }
    }
}
