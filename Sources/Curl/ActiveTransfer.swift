internal import CCurl

/// Who is to be woken at the end of a turn of the loop, and not before: a thread that is woken for each piece may take the
/// loop's core each time. On the loop's thread only.
final class LoopTurn {
    private var receivers: [any ResponseReceiver] = []

    /// `receiver` has got something; its pieces come one after another.
    func note(_ receiver: any ResponseReceiver) {
        if receivers.last !== receiver { receivers.append(receiver) }
    }

    func end() {
        guard !receivers.isEmpty else { return }
        for receiver in receivers { receiver.endTurn() }
        receivers.removeAll(keepingCapacity: true)
    }
}

/// A transfer that libcurl works on. Not Sendable: it lives on the loop's thread, in the loop's table, and libcurl's
/// callbacks get a pointer to it that is valid until the loop takes the transfer out of the table.
final class ActiveTransfer {
    let exchange: Exchange
    let easy: EasyHandle
    var headers = HeaderList()
    /// Status line and headers of the response being read.
    var head = ResponseHead()
    /// The head went to the receiver; header lines from then on are trailers.
    var isHeadDelivered = false
    /// The connection stands and the request is being sent. Taken back by a redirect.
    var isConnected = false
    var bodyBytes = 0
    var isReceivingPaused = false
    /// A GET without a body.
    let isPlain: Bool
    /// Of the request; none where it is not needed any more.
    var body: HTTPRequest.Body
    /// How much of a `source` was sent.
    private var sentBytes = 0
    let started = ContinuousClock.now
    /// When a piece of the body last came, or the consumer last made room.
    private(set) var lastProgress = ContinuousClock.now
    /// Why a callback ended the transfer: says more than the CURLcode that it ends with.
    var failure: HTTPError?
    private let turn: LoopTurn

    init(_ exchange: Exchange, easy: EasyHandle, turn: LoopTurn) {
        self.turn = turn
        self.exchange = exchange
        body = exchange.takeBody()
        self.easy = easy
        if case .none = body { isPlain = exchange.request.method == "GET" } else { isPlain = false }
    }

    /// What the receiver is told at the end: nil for a complete answer.
    func outcome(_ code: CURLcode) -> HTTPError? {
        if let failure { return failure }
        guard code == CURLE_OK else {
            return HTTPError(
                curl: code,
                .init(
                    isConnected: isConnected, redirects: easy.long(CURLINFO_REDIRECT_COUNT),
                    systemError: Int32(truncatingIfNeeded: easy.long(CURLINFO_OS_ERRNO)),
                    detail: String(cString: easy.errorText)))
        }
        // To libcurl a connection closed between two header lines is an answer without a body.
        return isHeadDelivered ? nil : HTTPError(.truncated, "the connection ended in the head of the answer")
    }

    /// Goes on with a body that the receiver did not take; may call the callbacks at once.
    func resumeReceiving() {
        guard isReceivingPaused else { return }
        isReceivingPaused = false
        noteProgress()
        // An error of a transfer that goes on comes back as its result; here there is nobody to tell.
        curl_easy_pause(easy.pointer, CURLPAUSE_CONT)
    }

    // MARK: What the callbacks do

    /// One header line, or the empty one that ends a head. False ends the transfer.
    func receive(headerLine line: UnsafeRawBufferPointer) -> Bool {
        if isHeadDelivered { return true }
        // A new status line: what came before was informational, or a redirect.
        if line.starts(with: "HTTP/".utf8) { head.lines.removeAll(keepingCapacity: true) }
        guard head.lines.count + line.count <= ResponseHead.maximumBytes else {
            failure = HTTPError(.tooLarge, "the head of the answer is too large")
            return false
        }
        head.lines.append(contentsOf: line)
        if line.count <= 2, line.first == UInt8(ascii: "\r") || line.first == UInt8(ascii: "\n") { endHead() }
        return true
    }

    private func endHead() {
        head.status = easy.long(CURLINFO_RESPONSE_CODE)
        if head.status < 200 { return }
        if exchange.request.maximumRedirects > 0, (300..<400).contains(head.status),
            let location = firstValue(of: "location", in: head.fields()), !location.isEmpty
        {
            isConnected = false
            return
        }
        deliverHead()
    }

    private func deliverHead() {
        isHeadDelivered = true
        head.url =
            exchange.request.maximumRedirects > 0
            ? easy.string(CURLINFO_EFFECTIVE_URL) ?? exchange.request.url : exchange.request.url
        exchange.receiver.receive(head: head)
        turn.note(exchange.receiver)
        releaseSource()
    }

    func receive(body: UnsafeRawBufferPointer) -> BodyReception {
        // A body that announces to be too long is not waited for. With a content coding the length says nothing.
        if bodyBytes == 0, let length = easy.offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T),
            length > exchange.request.maximumBodyBytes,
            firstValue(of: "content-encoding", in: head.fields()) == nil
        {
            return refuseTooLarge()
        }
        guard body.count <= exchange.request.maximumBodyBytes - bodyBytes else { return refuseTooLarge() }
        let reception = exchange.receiver.receive(body: body)
        switch reception {
        case .taken:
            bodyBytes += body.count
            noteProgress()
            turn.note(exchange.receiver)
        case .pause: isReceivingPaused = true
        case .refused: failure = .cancelled
        }
        return reception
    }

    func noteProgress() {
        if exchange.request.idleTimeout != nil { lastProgress = .now }
    }

    private func refuseTooLarge() -> BodyReception {
        failure = HTTPError(.tooLarge, "the body is larger than \(exchange.request.maximumBodyBytes) bytes")
        return .refused
    }

    /// Copies what follows of the request's body; 0 at its end.
    func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard case .source(let source) = body else { return 0 }
        let count = source.copy(from: sentBytes, into: buffer)
        sentBytes += count
        releaseSource()
        return count
    }

    /// Once all of it was sent and an answer has begun, it is not asked for again.
    private func releaseSource() {
        if isHeadDelivered, case .source(let source) = body, sentBytes >= source.count { body = .none }
    }

    /// False for a body that cannot be read again.
    func seek(to offset: Int) -> Bool {
        guard case .source(let source) = body, (0...source.count).contains(offset) else {
            return false
        }
        sentBytes = offset
        return true
    }
}
