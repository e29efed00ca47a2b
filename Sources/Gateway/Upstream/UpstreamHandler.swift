import NIOCore
import NIOSSL
import NIOTLS

/// What an exchange hears of the connection to its endpoint.
protocol UpstreamDelegate: AnyObject {
    /// Bytes have come.
    func upstreamRead(_ bytes: ByteBuffer)
    /// The operating system has taken the last byte of the request.
    func upstreamTookRequest()
    /// The endpoint has ended its side, or the connection is broken; nothing more comes. `error` is nil for an end.
    func upstreamClosed(_ error: (any Error)?)
    /// Whether more bytes can be taken: false stops reading from the endpoint.
    var takesMore: Bool { get }
}

/// The gateway's end of one connection to an endpoint. It lives in a pool between exchanges.
final class UpstreamHandler: ChannelDuplexHandler, Flushable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Where it is kept while it is idle.
    private let connections: IdleConnections
    private var attempt: ConnectAttempt?
    private var context: ChannelHandlerContext?
    private var isReadDelayed = false
    /// The request that was written fits into the operating system's buffer.
    private var isTakenAtOnce = false
    private var error: (any Error)?
    /// The exchange that uses this connection; nil while it is idle. The exchange takes itself out when it ends.
    var delegate: (any UpstreamDelegate)?
    /// While idle: when the pool closes it.
    var idleUntil = NIODeadline.distantFuture

    init(_ connections: IdleConnections, attempt: ConnectAttempt) {
        self.connections = connections
        self.attempt = attempt
    }

    var isOpen: Bool { context?.channel.isActive ?? false }

    func close() { context?.close(promise: nil) }

    /// Keeps the connection for another request. `lifetime` is what the endpoint said of it.
    func keep(lifetime: TimeAmount?) { connections.keep(self, lifetime: lifetime) }

    /// Writes a request. It goes out with the next `flush`. The delegate hears when the operating system has taken it.
    ///
    /// - Parameters:
    ///   - head: the head, and all of the body that fits into the operating system's buffer with it
    ///   - rest: the rest of the body
    func send(_ head: ByteBuffer, _ rest: [ByteBuffer]) {
        guard let context else { return }
        context.write(wrapOutboundOut(head), promise: nil)
        isTakenAtOnce = rest.isEmpty
        guard let last = rest.last else { return }
        for piece in rest.dropLast() { context.write(wrapOutboundOut(piece), promise: nil) }
        let taken = context.eventLoop.makePromise(of: Void.self)
        taken.futureResult.assumeIsolated().whenSuccess { [self] in delegate?.upstreamTookRequest() }
        context.write(wrapOutboundOut(last), promise: taken)
    }

    func flush() {
        context?.flush()
        guard isTakenAtOnce else { return }
        isTakenAtOnce = false
        delegate?.upstreamTookRequest()
    }

    /// The delegate takes more again.
    func resumeReading() {
        guard isReadDelayed, let context else { return }
        isReadDelayed = false
        context.read()
    }

    // MARK: What the channel says

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if !connections.origin.isTLS { connected(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { connected(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func connected(_ context: ChannelHandlerContext) {
        guard let attempt else { return }
        self.attempt = nil
        // The attempt may have timed out in the meantime.
        if attempt.isOver { return context.close(promise: nil) }
        attempt.finish(.success(self))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let delegate else {
            // Nobody has asked for anything: whatever this is, the next answer would begin with it.
            return context.close(promise: nil)
        }
        delegate.upstreamRead(unwrapInboundIn(data))
    }

    func read(context: ChannelHandlerContext) {
        if delegate?.takesMore ?? true { context.read() } else { isReadDelayed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A TLS connection that is closed without its closing message ends like any other connection: how long an
        // answer is, its framing says.
        if let error = error as? NIOSSLError, case .uncleanShutdown = error { return }
        self.error = self.error ?? error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let attempt = self.attempt
        self.attempt = nil
        attempt?.finish(
            .failure(
                ConnectFailure(
                    step: connections.origin.isTLS ? .tls : .connect,
                    description: error.map(UpstreamErrorText.of) ?? "the connection was closed")))
        if let delegate {
            self.delegate = nil
            delegate.upstreamClosed(error)
        } else {
            connections.forget(self)
        }
        context.fireChannelInactive()
    }
}
