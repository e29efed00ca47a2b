import Glibc
import HTTPTypes
import NIOCore

/// What is written to the client.
extension ClientHandler {
    /// Writes an answer of the gateway's own.
    func answer(_ response: Response) {
        guard let current, !current.isAnswered else { return }
        if response.closesConnection || mustClose { current.keepsConnection = false }
        // A body that is still on its way is thrown away, if it is short. The connection cannot go on behind a long one,
        // or behind one that the client sends only if it is asked to.
        if !current.isReceived {
            let isLong = current.facts.contentLength.map { $0 > Self.maximumDiscardedBytes } ?? false
            if isLong || current.facts.expectsContinue && current.facts.hasBody { current.keepsConnection = false }
            current.bodyDeadline = .now() + gateway.timeouts.body
        }
        var head = loop.makeBuffer(capacity: 512)
        let content = response.write(
            date: loop.currentDate, connection: current.connectionValue, isHead: current.isHead, into: &head)
        write(head, then: content)
        current.isAnswered = true
        if current.accessEntry != nil {
            logAccess(current, status: response.status.code, requestID: response.headers[.requestID])
        }
        current.work = .none
        body = ByteBuffer()
        if current.isReceived || !current.keepsConnection { finishRequest() }
    }

    /// Answers the current request with an error, also while its body is being read.
    func refuse(_ failure: HTTPFailure) {
        guard let current, !current.isAnswered else { return }
        if case .exchange(let exchange) = current.work {
            current.work = .none
            exchange.clientGone()
        }
        if let call = current.call {
            answer(gateway.responder.refuse(failure, call))
        } else {
            answer(Self.finished(failure))
        }
    }

    /// Answers bytes that are no request, and closes the connection.
    func refuseBytes(_ failure: HTTPFailure) {
        if current != nil {
            refuse(failure)
        } else {
            var head = loop.makeBuffer(capacity: 512)
            let response = Self.finished(failure)
            let content = response.write(date: loop.currentDate, connection: "close", isHead: false, into: &head)
            write(head, then: content)
            gateway.accessLog?.write(
                AccessLog.Outcome(
                    status: response.status.code, requestID: response.headers[.requestID], written: writtenBytes),
                from: context?.remoteAddress)
        }
        close()
    }

    /// For requests of which too little is known to say who asked for what.
    private static func finished(_ failure: HTTPFailure) -> Response {
        var response = failure.response(as: .openAI)
        response.headers[.requestID] = RequestIdentity.make()
        return response
    }

    // MARK: Answers of endpoints

    /// Whether more bytes of an answer may be written.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Whether the connection ends behind the current answer. Asked once, when the head is written.
    func closesBehindAnswer() -> Bool {
        if mustClose { current?.keepsConnection = false }
        return !(current?.keepsConnection ?? false)
    }

    /// Whether a client of HTTP/1.0 has to be told that the connection goes on.
    var confirmsKeepAlive: Bool { current?.facts.mustConfirmKeepAlive ?? false }

    /// The exchange has written its answer to the end.
    func exchangeEnded(keepsConnection: Bool) {
        guard let current, !current.isAnswered else { return }
        current.isAnswered = true
        logAccess(current, status: nil)
        current.work = .none
        if !keepsConnection { current.keepsConnection = false }
        if current.isReceived { finishRequest() }
        takeWaiting()
    }

    /// An answer that cannot be ended: what was written goes out, and the connection closes without the answer's end.
    ///
    /// - Parameters:
    ///   - code: of the error that the answer ends with
    ///   - resets: the answer's end is the connection's end, so that only a reset tells it from a whole one
    func exchangeBroke(_ code: String, resets: Bool) {
        guard let context else { return }
        if let current { logAccess(current, status: nil, brokenBy: code) }
        current = nil
        isClosing = true
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in
            if resets { Self.resetOnClose(bound.value) }
            bound.value.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    /// SO_LINGER with no time: the close sends RST and not FIN (POSIX, `setsockopt`).
    private static func resetOnClose(_ context: ChannelHandlerContext) {
        guard let channel = context.channel as? any SocketOptionProvider else { return }
        // If the channel is closed already there is nothing left to reset.
        channel.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
    }

    /// Answers say so if the connection is about to go, so that the client's next request takes another one.
    private var mustClose: Bool { isQuiescing || gateway.drain.isStopping || isLast }

    /// The client has ended its side, and nothing is left behind the current request.
    private var isLast: Bool { isInputClosed && waiting.isEmpty && delayedFault == nil }
}

extension ClientHandler.Current {
    /// The value of `Connection` in the answer.
    fileprivate var connectionValue: StaticString? {
        keepsConnection ? (facts.mustConfirmKeepAlive ? "keep-alive" : nil) : "close"
    }
}
