import Catalog
import HTTPTypes
import NIOCore
import NIOHTTP1

/// What becomes of a request.
extension ClientHandler {
    func begin(_ head: HTTPRequestHead) {
        let headers = RequestHeaders(head.headers)
        let facts = RequestFacts(head, headers)
        current = Current(facts: facts, isHead: head.method == .HEAD)
        let request = Request(head, headers, isFromLoopback: isFromLoopback)
        beginAccessEntry(request)
        if let fault = facts.fault { return refuse(HTTPFailure(fault)) }
        switch gateway.responder.begin(request) {
        case .answer(let response):
            answer(response)
        case .task(let call):
            current?.call = call
            current?.work = .task(call)
            expectBody(limit: gateway.responder.bodyLimit, within: gateway.timeouts.body)
        case .inference(let path, let call):
            current?.call = call
            beginExchange(path, call)
        }
    }

    private func beginExchange(_ path: InferencePath, _ call: RouteCall) {
        if isInputClosed { return clientGone() }
        let exchange = Exchange(path, call, minorVersion: current?.facts.minorVersion ?? 1, client: self)
        do throws(HTTPFailure) {
            try exchange.checkHead()
        } catch {
            return refuse(error)
        }
        current?.work = .exchange(exchange)
        expectBody(limit: gateway.inference.limits.bodyBytes, within: gateway.inference.times.body)
    }

    /// The request is accepted: its body may come. A client that asked first is told so (RFC 9110, 10.1.1).
    private func expectBody(limit: Int, within time: TimeAmount) {
        guard let current, !current.isAnswered else { return }
        if let length = current.facts.contentLength, length > limit { return refuse(.bodyTooLarge(limit: limit)) }
        if current.facts.hasBody { current.bodyDeadline = .now() + time }
        if current.facts.expectsContinue, current.facts.hasBody, current.facts.minorVersion > 0 {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        }
    }

    func receive(_ bytes: ByteBuffer) {
        guard let current else { return }
        switch current.work {
        case .none, .running: discard(bytes.readableBytes)
        case .task: hold(bytes, limit: gateway.responder.bodyLimit)
        case .exchange(let exchange):
            guard exchange.mayHold(bytes.readableBytes) else { return refuse(.overloaded) }
            hold(bytes, limit: gateway.inference.limits.bodyBytes)
        }
    }

    private func hold(_ bytes: ByteBuffer, limit: Int) {
        let length = body.readableBytes + bytes.readableBytes
        guard length <= limit else { return refuse(.bodyTooLarge(limit: limit)) }
        // The only piece of most bodies is kept as it is.
        guard body.readableBytes > 0 else {
            body = bytes
            return
        }
        // A body that announces its length gets all of its memory at once, after its first megabyte.
        if length > 1 << 20, let announced = current?.facts.contentLength, body.capacity < announced {
            body.reserveCapacity(announced)
        }
        body.writeImmutableBuffer(bytes)
    }

    /// The answer is there already, and the rest of the body is in the way of the next request.
    private func discard(_ count: Int) {
        current?.discarded += count
        guard let current, current.discarded > Self.maximumDiscardedBytes else { return }
        current.keepsConnection = false
        if current.isAnswered { finishRequest() }
    }

    func received() {
        guard let current else { return }
        let body = body
        self.body = ByteBuffer()
        current.isReceived = true
        current.bodyDeadline = .distantFuture
        switch current.work {
        case .none: if current.isAnswered { finishRequest() }
        case .running: break
        case .task(let call): run(call, body)
        case .exchange(let exchange): exchange.start(body)
        }
    }

    /// Runs a route of the control plane away from the event loop.
    private func run(_ call: RouteCall, _ body: ByteBuffer) {
        guard let eventLoop = context?.eventLoop, let current else { return }
        let asked = NIOLoopBound((handler: self, request: current), eventLoop: eventLoop)
        let responder = gateway.responder
        let call = call.with(body: body)
        let task = Task {
            let response = await TraceContext.$current.withValue(TraceContext(call.request.headers)) {
                await responder.answer(call)
            }
            eventLoop.execute { asked.value.handler.answered(asked.value.request, response) }
        }
        current.work = .running(task)
    }

    /// The task of a request has ended. The client may have gone, and another request may be there.
    private func answered(_ request: Current, _ response: Response) {
        guard let current, current === request, case .running = current.work else { return }
        current.work = .none
        answer(response)
        takeWaiting()
    }
}

extension HTTPFailure {
    init(_ fault: RequestFacts.Fault) {
        switch fault {
        case .missingHost:
            self = .badRequest("missing_host", "A request of HTTP/1.1 must have a Host field.")
        case .severalHosts:
            self = .badRequest("invalid_host", "The request has more than one Host field. Send one.")
        case .unknownTransferCoding:
            self = HTTPFailure(
                .notImplemented, code: "unknown_transfer_coding",
                "Send the body with Content-Length, or with Transfer-Encoding: chunked. No other coding is understood.")
        case .transferCodingInHTTP10:
            self = .badRequest(
                "invalid_transfer_encoding", "HTTP/1.0 has no Transfer-Encoding; send Content-Length instead.")
        case .unknownExpectation:
            self = HTTPFailure(
                .expectationFailed, code: "unknown_expectation",
                "Leave out Expect, or send Expect: 100-continue. Nothing else is understood.")
        }
        closesConnection = true
    }

    /// What the decoder refuses. Nothing behind such bytes can be understood, so the connection ends.
    ///
    /// - Parameter isText: the connection began like one of HTTP, with a letter
    init(parserError: HTTPParserError, isText: Bool) {
        switch parserError {
        case .headerOverflow:
            self = HTTPFailure(
                HTTPResponse.Status(code: 431, reasonPhrase: "Request Header Fields Too Large"),
                code: "headers_too_large",
                "The head of the request is larger than 64 KiB or has too many fields. Send fewer or shorter ones.")
        case .invalidMethod where isText:
            self = HTTPFailure(
                .notImplemented, code: "unknown_method",
                "The request's method is not known. Use one of HTTP's own, such as GET or POST.")
        case .invalidVersion:
            self = .badRequest(
                "invalid_http_version",
                "Only HTTP/1.1 and HTTP/1.0 are understood, and their lines end with CR and LF.")
        case .invalidMethod:
            self = .badRequest(
                "invalid_request",
                "The request is not HTTP. If the client uses https://, let it use http:// with this port.")
        default:
            self = .badRequest("invalid_request", "The request is not valid HTTP/1.1.")
        }
        closesConnection = true
    }

    static var headTooSlow: HTTPFailure {
        var failure = HTTPFailure(
            .requestTimeout, code: "request_timeout",
            "The head of the request took too long to arrive. Send the request again.")
        failure.closesConnection = true
        return failure
    }

    static var bodyTooSlow: HTTPFailure {
        var failure = HTTPFailure(
            .requestTimeout, code: "request_timeout", "The body took too long to arrive. Send the request again.")
        failure.closesConnection = true
        return failure
    }
}
