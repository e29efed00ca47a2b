import Catalog
import HTTPTypes
import Logging
import NIOCore

/// The endpoint's side of an exchange.
extension Exchange: UpstreamDelegate {
    // MARK: The connection

    func connect(isFresh: Bool) {
        guard let endpoint = lease?.target.endpoint else { return }
        attempt += 1
        askedAt = .now()
        let target: UpstreamTarget
        do {
            target = try loop.targets.target(of: endpoint)
        } catch {
            core.warn("An endpoint cannot be used", endpoint.name, call.logger, reason: "\(error)")
            return feed(.unusable)
        }
        self.target = target
        if !isFresh, let kept = target.connections.takeIdle() {
            use(kept)
            return feed(.connected(isReused: true))
        }
        loop.pool.connect(target.connections) { [self, attempt] result in connectEnded(attempt, result) }
    }

    private func connectEnded(_ attempt: Int, _ result: Result<UpstreamHandler, ConnectFailure>) {
        let isCurrent = attempt == self.attempt && machine.phase == .connecting
        switch result {
        case .success(let connection) where isCurrent:
            use(connection)
            feed(.connected(isReused: false))
        case .success(let connection):
            // Nobody waits for it any more; the next request to this endpoint will.
            connection.keep(lifetime: nil)
        case .failure(let failure):
            guard isCurrent else { return }
            guard !failure.isOwn else {
                core.warn(
                    "The gateway has too few descriptors, ports, or memory for a connection to an endpoint", nil,
                    call.logger, reason: at("\(failure)"))
                feed(.cannotConnect)
                break
            }
            connectProblem = failure.step.rawValue
            core.warn(
                "An endpoint gave no answer", endpointName, call.logger, reason: at("\(failure) (\(connectProblem))"))
            feed(.connectFailed)
        }
    }

    /// `problem` behind the address of the endpoint.
    private func at(_ problem: String) -> String { "\(target?.authority ?? ""): \(problem)" }

    private func use(_ connection: UpstreamHandler) {
        upstream = connection
        connection.delegate = self
        scanner = AnswerHeadScanner(isHeadRequest: call.request.method == .head)
        head = nil
        received = ByteBuffer()
        hasAnswerBegun = false
        closedUpstream = nil
    }

    func closeConnection() {
        guard let connection = upstream else { return }
        upstream = nil
        connection.delegate = nil
        connection.close()
    }

    func keepConnection() {
        guard let connection = upstream else { return }
        upstream = nil
        connection.delegate = nil
        connection.keep(lifetime: head?.keepAliveSeconds.map { .seconds(Int64($0)) })
    }

    // MARK: The request

    func send() {
        guard let model = lease?.target.model, let target, let connection = upstream, let body else { return }
        let head = UpstreamRequestHead(
            method: call.request.method.rawValue, path: path.path, query: call.request.query,
            headers: call.request.headers, requestID: call.requestID, via: core.via,
            contentLength: body.contentLength(naming: model),
            isBodyChanged: body.isChanged(naming: model))
        let bytes = loop.headWriter
        bytes.clear()
        head.write(to: target, into: bytes)
        let rest = body.write(naming: model, behind: bytes)
        connection.send(loop.makeBuffer(bytes), rest)
        loop.flushSoon(connection)
    }

    func upstreamTookRequest() { feed(.requestSent) }

    // MARK: What the endpoint says

    /// Reading stops while the client does not take what has come, and while it is not decided what becomes of an answer.
    var takesMore: Bool { passage == nil ? head == nil || isPrefixWanted : client.isWritable }

    func upstreamRead(_ bytes: ByteBuffer) {
        sawBytes = true
        hasAnswerBegun = true
        if passage != nil { return pass(bytes) }
        if received.readableBytes == 0 { received = bytes } else { received.writeImmutableBuffer(bytes) }
        if head == nil { scanHead() }
        if head != nil, isPrefixThere { answered() }
    }

    private func scanHead() {
        switch scanner.scan(&received) {
        case .needsMore: break
        case .head(let head): self.head = head
        case .refused(let fault):
            core.warn("An endpoint's answer is malformed", endpointName, call.logger, reason: fault.rawValue)
            feed(.malformed)
        }
    }

    /// Of a 404 the beginning of the body is needed too: it says whether the model is missing or the route.
    private var isPrefixWanted: Bool {
        guard let head, machine.phase == .asking else { return false }
        return RetryRules.needsBody(head.status) && received.readableBytes < RetryRules.prefixBytes
    }

    private var isPrefixThere: Bool {
        guard let head, machine.phase == .asking else { return false }
        guard isPrefixWanted, closedUpstream == nil else { return true }
        return isWhole(received, framing: AnswerFraming(head.framing))
    }

    /// Whether nothing more has to come. What is malformed gets no better by waiting.
    private func isWhole(_ body: ByteBuffer, framing: AnswerFraming) -> Bool {
        var framing = framing
        var offset = 0
        return body.withUnsafeReadableBytes { bytes in
            while true {
                switch framing.next(bytes, &offset) {
                case .payload, .boundary: continue
                case .needsMore: return false
                case .ended, .malformed: return true
                }
            }
        }
    }

    private func answered() {
        guard let head else { return }
        var answer = RetryRules.Answer(status: head.status, retryAfter: head.value("retry-after").map(head.text))
        if RetryRules.needsBody(head.status) {
            answer.body = Array(received.readableBytesView.prefix(RetryRules.prefixBytes))
        }
        feed(.answered(answer))
    }

    func upstreamClosed(_ error: (any Error)?) {
        upstream = nil
        closedUpstream = (error != nil, ())
        if passage != nil {
            passInputClosed()
        } else if head != nil {
            if machine.phase == .asking { answered() }
        } else {
            if machine.phase == .asking {
                let reason = error.map(UpstreamErrorText.of) ?? "it closed the connection"
                core.warn("An endpoint gave no answer", endpointName, call.logger, reason: at(reason))
            }
            feed(.closed(hasAnswerBegun: hasAnswerBegun))
        }
    }

    /// The client has taken what was written to it.
    func clientTakesMore() { upstream?.resumeReading() }
}
