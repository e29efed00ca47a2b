import Catalog
import HTTPTypes
import Logging
import NIOCore

/// The client's side of an exchange.
extension Exchange {
    /// Passes the answer in hand on: its head, and what of its body has come already.
    func passAnswer() {
        guard let head else { return }
        letGoOfBody()
        let passage = AnswerPassage(head: head, clientMinorVersion: minorVersion, dialect: path.dialect)
        if (200..<300).contains(head.status) {
            lease?.began(firstByte: .nanoseconds((NIODeadline.now() - askedAt).nanoseconds))
        }
        closesClient = client.closesBehindAnswer() || passage.clientFraming == .close
        let lines = loop.headWriter
        lines.clear()
        ClientAnswerHead.write(
            head, framing: passage.clientFraming, date: loop.currentDate,
            connection: closesClient ? "close" : client.confirmsKeepAlive ? "keep-alive" : nil, into: lines)
        writeOwnFields(into: lines)
        lines.write("\r\n")
        self.passage = passage
        if path.dialect == .responses, path.subject == .model, (200..<300).contains(head.status) {
            idScan = ResponseIDScan()
        }
        startIdleDeadline()
        let rest = received
        received = ByteBuffer()
        pass(rest, behind: lines)
        if closedUpstream != nil { passInputClosed() }
        upstream?.resumeReading()
    }

    /// The gateway's own fields, as lines.
    private func writeOwnFields(into lines: HeadWriter) {
        client.gateway.responder.writeFields(for: call, into: lines)
        lines.writeField("X-Rollcall-Endpoint", endpointName)
        lines.writeField("X-Models-Etag", core.lists.etag(for: call.caller, in: core.catalog.view))
    }

    /// Bytes of the answer's body; the first ones go out together with the answer's head.
    func pass(_ bytes: ByteBuffer, behind head: HeadWriter? = nil) {
        guard machine.phase == .relaying else { return }
        if idScan != nil { lookForID(bytes) }
        guard let progress = passage?.pass(bytes, into: &output) else { return }
        writeOutput(behind: head)
        told(progress)
    }

    private func lookForID(_ bytes: ByteBuffer) {
        if let id = idScan?.take(bytes.readableBytesView), let target = lease?.target {
            core.storedResponses.note(id, StoredResponses.Origin(endpoint: target.id, model: target.model))
        }
        if idScan?.isOver == true { idScan = nil }
    }

    func passInputClosed() {
        guard machine.phase == .relaying, let closedUpstream else { return }
        guard let progress = passage?.inputClosed(wasReset: closedUpstream.wasReset, into: &output) else { return }
        writeOutput()
        told(progress)
    }

    private func writeOutput(behind head: HeadWriter? = nil) {
        var first = 0
        if let head {
            if let bytes = output.first, bytes.readableBytes <= ClientHandler.smallBytes {
                head.write(bytes)
                first = 1
            }
            client.write(loop.makeBuffer(head))
        }
        for bytes in output[first...] { client.write(bytes) }
        output.removeAll(keepingCapacity: true)
    }

    private func told(_ progress: AnswerPassage.Progress) {
        switch progress {
        case .going: break
        case .ended(let surplus):
            feed(.answerEnded(isClean: surplus == 0 && head?.keepsAlive == true && closedUpstream == nil))
        case .broken(let fault):
            core.warn("An endpoint broke off its answer", endpointName, call.logger, reason: fault.rawValue)
            feed(.answerBroke(.upstreamBroken))
        }
    }

    // MARK: Ends

    func finish() {
        over()
        client.exchangeEnded(keepsConnection: !closesClient)
    }

    /// Answers with an error of the gateway's own. No byte of another answer has been written.
    func respond(_ failure: HTTPFailure) {
        over()
        var response = client.gateway.responder.refuse(failure, call)
        response.headers[.modelsETag] = core.lists.etag(for: call.caller, in: core.catalog.view)
        client.answer(response)
        client.takeWaiting()
    }

    func breakOff(_ reason: RelayMachine.BrokenEnd) {
        over()
        let error = reason.error
        if let event = passage?.errorEvent(code: error.code, message: error.message, type: error.type) {
            client.write(event)
        }
        client.exchangeBroke(error.code, resets: passage?.clientFraming == .close)
    }
}

extension RelayMachine.BrokenEnd {
    /// What an error event says. Texts of the gateway's own only: nothing of an endpoint is repeated.
    fileprivate var error: APIError {
        switch self {
        case .upstreamBroken:
            APIError(type: "upstream_error", code: "upstream_broken", message: "The endpoint broke off its answer.")
        case .upstreamTimeout:
            APIError(type: "upstream_error", code: "upstream_timeout", message: "The endpoint stopped answering.")
        case .gatewayStopping: HTTPFailure.stopping.error
        }
    }
}
