import NIOCore
import NIOHTTP1

/// One client's connection: takes the decoder's parts of requests, one request at a time, and writes the answers.
///
/// The handler stands behind NIO's request decoder and writes bytes: there is no encoder behind it. A request that
/// comes while another one is being answered waits in `waiting`, and above a bound nothing more is read from the client.
///
/// `ClientHandler+requests.swift` has what becomes of a request, `ClientHandler+answers.swift` what is written.
final class ClientHandler: ChannelDuplexHandler, Expirable, Flushable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The request that is being read or answered. An object, since it is asked and changed at every step.
    final class Current {
        let facts: RequestFacts
        let isHead: Bool
        /// What the responder has found out of the head; nil if the head was refused.
        var call: RouteCall?
        var work = Work.none
        /// The request's last part has come.
        var isReceived = false
        /// The answer's last byte has been written.
        var isAnswered = false
        var keepsConnection: Bool
        /// When a body that is still being read has taken too long.
        var bodyDeadline = NIODeadline.distantFuture
        /// Bytes of a body that nobody wants any more.
        var discarded = 0
        /// nil if the request gets no line in the access log, or has got it.
        var accessEntry: AccessLog.Entry?

        init(facts: RequestFacts, isHead: Bool) {
            self.facts = facts
            self.isHead = isHead
            keepsConnection = facts.keepsConnection
        }
    }

    /// What the request's body is read for.
    enum Work {
        /// Nothing: the answer is there already, or needs no body.
        case none
        /// A task begins when the body is complete.
        case task(RouteCall)
        case running(Task<Void, Never>)
        case exchange(Exchange)
    }

    /// Bytes of waiting requests above which the client is not read from.
    static let maximumWaitingBytes = 64 << 10
    /// Bytes of an unwanted body that are read so that the connection can go on.
    static let maximumDiscardedBytes = 64 << 10

    let gateway: GatewayServerCore
    let loop: LoopContext
    var context: ChannelHandlerContext?
    var current: Current?
    /// What has come of the current request's body. It stands alone, so that it has one owner and grows in place.
    var body = ByteBuffer()
    private(set) var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var waitingBytes = 0
    private var isReadDelayed = false
    private var isFlushNeeded = false
    private(set) var isInputClosed = false
    /// The last answer has been written: what still comes is thrown away until the client closes.
    var isClosing = false
    private var isOutputEnded = false
    private var lingeringBytes = 0
    /// The connection is to close as soon as nothing is in flight on it.
    private(set) var isQuiescing = false
    /// What the decoder said of bytes behind the current request.
    private(set) var delayedFault: HTTPFailure?
    private(set) var isFromLoopback = false

    /// The decoder that gives this handler the parts of requests.
    var decoder: ByteToMessageHandler<HTTPRequestDecoder>?
    private var leavingDecoders = 0
    /// Called once, when no decoder is about to leave any more.
    var onDecoderReplaced: (() -> Void)?

    // Deadlines; see `ClientHandler+deadlines.swift`.
    var sweepIndex = -1
    var deadline = NIODeadline.now() + .seconds(60)
    var isHeadBegun = false
    /// Something was answered since the last look at the deadlines.
    var wasActive = false
    var writtenBytes = 0
    var reader = ReaderProgress()
    /// The connection's first byte is a letter or a line break, as it is in HTTP; nil before it has come.
    private var isText: Bool?

    init(gateway: GatewayServerCore, loop: LoopContext) {
        self.gateway = gateway
        self.loop = loop
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { opened(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        opened(context)
        context.fireChannelActive()
    }

    private func opened(_ context: ChannelHandlerContext) {
        guard sweepIndex < 0 else { return }
        isFromLoopback = context.remoteAddress?.isLoopback ?? false
        loop.connections.add(self)
        gateway.connections.opened()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if sweepIndex >= 0 {
            loop.connections.remove(self)
            gateway.connections.closed()
        }
        clientGone()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        onDecoderReplaced = nil
    }

    /// Looks at the first byte of the connection: TLS and other protocols begin with none of HTTP's.
    func noteBeginning(_ bytes: ByteBuffer) {
        guard isText == nil, let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
        isText = (first | 0x20) &- UInt8(ascii: "a") < 26 || first == 0x0D
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if isClosing { return linger(part) }
        guard waiting.isEmpty, canTake else {
            waitingBytes += part.size
            waiting.append(part)
            return
        }
        take(part)
    }

    func read(context: ChannelHandlerContext) {
        if waitingBytes > Self.maximumWaitingBytes { isReadDelayed = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if case .exchange(let exchange)? = current?.work { exchange.clientTakesMore() }
            takeWaiting()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            isInputClosed = true
            inputClosed()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            // TLS, or the network: nobody can be told.
            return context.close(promise: nil)
        }
        if isClosing { return context.close(promise: nil) }
        let failure = HTTPFailure(parserError: error, isText: isText ?? true)
        if current?.isReceived ?? !waiting.isEmpty {
            delayedFault = delayedFault ?? failure
        } else {
            refuseBytes(failure)
        }
    }

    // MARK: The order of requests

    /// Parts of the current request, or of the next one once there is none. A client that does not read its answers
    /// gets no further ones made.
    private var canTake: Bool {
        if let current { return !current.isReceived }
        return context?.channel.isWritable ?? false
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): receive(bytes)
        case .end: received()
        }
    }

    func takeWaiting() {
        while !isClosing, canTake, let part = waiting.popFirst() {
            waitingBytes -= part.size
            take(part)
        }
        if !isClosing, waiting.isEmpty, !(current?.isReceived ?? false) {
            // What is wrong may be the rest of a body that has begun.
            if let failure = delayedFault { return refuseBytes(failure) }
            if current == nil, isQuiescing || isInputClosed { return close() }
        }
        if isReadDelayed, waitingBytes <= Self.maximumWaitingBytes {
            isReadDelayed = false
            context?.read()
        }
    }

    /// Nothing of a request has come and no answer is under way.
    var isIdle: Bool {
        current == nil && waiting.isEmpty && !isClosing && delayedFault == nil && !isReplacingDecoder
    }

    /// The current request is over; `keepsConnection` says whether another one may follow.
    func finishRequest() {
        guard let current else { return }
        self.current = nil
        wasActive = true
        isHeadBegun = false
        guard current.keepsConnection, !isQuiescing else { return close() }
        if current.facts.stopsDecoder { replaceDecoder() }
    }

    /// NIO's decoder stops behind a request that offers an upgrade. None is ever accepted, so a new decoder takes over
    /// what has come behind it.
    private func replaceDecoder() {
        guard let context else { return }
        do {
            try context.pipeline.syncOperations.replaceRequestDecoder(of: self) { [self] in
                leavingDecoders -= 1
                if !isReplacingDecoder { onDecoderReplaced.take()?() }
            }
            leavingDecoders += 1
        } catch {
            context.close(promise: nil)
        }
    }

    /// A decoder that has stopped is about to leave, and still holds what came behind the current request.
    var isReplacingDecoder: Bool { leavingDecoders > 0 }

    // MARK: Ends

    /// The client has closed its sending side. Requests that have come in whole are still answered, but for inference: a
    /// client that goes away looks just like this, and its generation must end.
    private func inputClosed() {
        // Of answers that are written, the client may not have taken all yet.
        if isClosing { return isOutputEnded ? closeNow() : () }
        switch current?.work {
        case .exchange?: clientGone()
        case nil where waiting.isEmpty: close()
        default:
            if let current, !current.isReceived { current.isAnswered ? close() : clientGone() }
        }
    }

    func clientGone() {
        if let current {
            logAccess(current, status: nil, brokenBy: gateway.drain.isStopping ? "gateway_stopping" : "client_gone")
        }
        let work = current?.work
        current = nil
        body = ByteBuffer()
        waiting.removeAll()
        waitingBytes = 0
        switch work {
        case .running(let task)?: task.cancel()
        case .exchange(let exchange)?: exchange.clientGone()
        default: break
        }
        // One that has only ended its side still gets the answers before this request.
        if isInputClosed { close() } else { closeNow() }
    }

    func closeNow() { context?.close(promise: nil) }

    /// Closes when nothing is in flight any more.
    func quiesce() {
        isQuiescing = true
        if isIdle { close() }
    }

    /// Closes at once, also under a request.
    func abandon() { closeNow() }

    /// Writes what is to be written, ends the sending side, and reads what the client still sends for a while: a
    /// connection that is closed with unread bytes is reset, and the answer may be lost (RFC 9112, 9.6).
    func close() {
        guard !isClosing, let context else { return }
        isClosing = true
        waiting.removeAll()
        waitingBytes = 0
        deadline = .now() + .seconds(1)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in bound.value.endOutput() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
        if isReadDelayed {
            isReadDelayed = false
            context.read()
        }
    }

    /// Everything has been written.
    private func endOutput() {
        isOutputEnded = true
        context?.close(mode: isInputClosed ? .all : .output, promise: nil)
    }

    private func linger(_ part: HTTPServerRequestPart) {
        lingeringBytes += part.size
        if lingeringBytes > 1 << 20 { closeNow() }
    }

    // MARK: Writing

    func write(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        writtenBytes += bytes.readableBytes
        context?.write(wrapOutboundOut(bytes), promise: nil)
        guard !isFlushNeeded else { return }
        isFlushNeeded = true
        loop.flushSoon(self)
    }

    /// Bytes up to this many are copied behind a head, which costs less than a second write of the channel.
    static let smallBytes = 2048

    /// Writes a head and what has come of the body.
    func write(_ head: consuming ByteBuffer, then content: ByteBuffer?) {
        guard let content, content.readableBytes > 0 else { return write(head) }
        guard content.readableBytes <= Self.smallBytes else {
            write(head)
            return write(content)
        }
        var whole = head
        whole.writeImmutableBuffer(content)
        write(whole)
    }

    func flush() {
        isFlushNeeded = false
        context?.flush()
    }
}

extension HTTPServerRequestPart {
    /// About as many bytes as it holds.
    fileprivate var size: Int {
        switch self {
        case .head(let head): 512 + head.uri.utf8.count
        case .body(let bytes): bytes.readableBytes
        case .end: 0
        }
    }
}

extension SocketAddress {
    /// 127.0.0.0/8, ::1, the IPv4 ones as IPv6 writes them, and Unix sockets.
    var isLoopback: Bool {
        guard let address = ipAddress else { return true }
        let mapped = address.lowercased().hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address
        return Loopback.isLoopback(host: mapped)
    }
}
