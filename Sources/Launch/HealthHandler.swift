import NIOCore
import NIOHTTP1

/// Answers the requests of one connection, one at a time. Bodies of requests are dropped.
final class HealthHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// More than a probe sends. The connection is closed instead of reading on.
    static let maximumBodyBytes = 64 << 10

    private let readiness: @Sendable () async -> Readiness
    private var request: HTTPRequestHead?
    private var bodyBytes = 0

    init(readiness: @escaping @Sendable () async -> Readiness) { self.readiness = readiness }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = head
            bodyBytes = 0
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            if bodyBytes > Self.maximumBodyBytes { context.close(promise: nil) }
        case .end:
            guard let request = request.take() else { return }
            answer(request, context)
        }
    }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = request.uri.prefix { $0 != "?" }
        guard path == "/healthz" || path == "/readyz" else {
            return write(.error(.notFound, "not_found", "only /healthz and /readyz are served here"), request, context)
        }
        guard request.method == .GET || request.method == .HEAD else {
            var answer = HealthAnswer.error(
                .methodNotAllowed, "method_not_allowed", "only GET and HEAD are served here")
            answer.headers.append(("Allow", "GET, HEAD"))
            return write(answer, request, context)
        }
        guard path == "/readyz" else { return write(HealthAnswer(.ok, #"{"status":"ok"}"#), request, context) }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let (readiness, eventLoop) = (readiness, context.eventLoop)
        Task {
            let state = await readiness()
            eventLoop.execute {
                let (handler, context) = loopBound.value
                handler.write(HealthAnswer(state.isReady ? .ok : .serviceUnavailable, state.json), request, context)
            }
        }
    }

    private func write(_ answer: HealthAnswer, _ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: answer.json + "\n")
        var headers: HTTPHeaders = [
            "Content-Type": "application/json", "Cache-Control": "no-store", "Content-Length": "\(body.readableBytes)",
        ]
        for (name, value) in answer.headers { headers.add(name: name, value: value) }
        // RFC 9112, section 9.3: HTTP/1.0 keeps a connection only if it is told so.
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        if request.isKeepAlive, request.version == .http1_0 { headers.add(name: "Connection", value: "keep-alive") }
        let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let end = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !request.isKeepAlive {
            let channel = context.channel
            end.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Bytes that are no HTTP request, and heads over NIO's 80 KB.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        let isTooLarge = error == .headerOverflow
        let answer = HealthAnswer.error(
            isTooLarge ? .requestHeaderFieldsTooLarge : .badRequest, isTooLarge ? "head_too_large" : "invalid_request",
            "not a request that can be read")
        write(answer, HTTPRequestHead(version: .http1_0, method: .GET, uri: "/"), context)
    }
}

/// One answer of the health server.
private struct HealthAnswer {
    let status: HTTPResponseStatus
    let json: String
    var headers: [(String, String)] = []

    init(_ status: HTTPResponseStatus, _ json: String) {
        self.status = status
        self.json = json
    }

    static func error(_ status: HTTPResponseStatus, _ code: String, _ message: String) -> HealthAnswer {
        HealthAnswer(status, #"{"error":{"message":"\#(message)","code":"\#(code)"}}"#)
    }
}
