internal import Synchronization

/// One request with who takes its answer: what a caller and the loop's thread share of a transfer.
final class Exchange: Sendable {
    /// Without its body.
    let request: HTTPRequest
    let receiver: any ResponseReceiver
    private let body: Mutex<HTTPRequest.Body>
    private let cancellation = Atomic(false)

    init(_ request: HTTPRequest, receiver: any ResponseReceiver) throws(HTTPError) {
        try request.validate()
        body = Mutex(request.body)
        var request = request
        request.body = .none
        self.request = request
        self.receiver = receiver
    }

    /// For the one transfer of this request, which lets it go as soon as it can: it may be far larger than all else that
    /// an exchange holds.
    func takeBody() -> HTTPRequest.Body {
        body.withLock { body in
            defer { body = .none }
            return body
        }
    }

    /// Ends the transfer wherever it is. The flag is for a cancellation that overtakes the start.
    func cancel(through inbox: Inbox) {
        cancellation.store(true, ordering: .releasing)
        // When the inbox is closed the loop ends the transfer by itself.
        _ = inbox.submit(.cancel(self))
    }

    var isCancelled: Bool { cancellation.load(ordering: .acquiring) }
}

/// Receives an answer piece by piece. Its methods are called on the loop's thread, which serves every other transfer too,
/// so they do not wait.
protocol ResponseReceiver: AnyObject, Sendable {
    /// The head of the last response, once, before any of its body.
    func receive(head: ResponseHead)
    /// Everything that the network had just now for any transfer has been received: the time to wake who waits for it.
    func endTurn()
    /// A piece of the decoded body; the bytes are lent for the call.
    func receive(body: UnsafeRawBufferPointer) -> BodyReception
    /// The end, once: nil for a complete answer.
    func finish(_ failure: HTTPError?)
}

enum BodyReception {
    case taken
    /// Not taken: keep it, and give it again after a `resumeReceiving`.
    case pause
    /// Nobody wants it any more.
    case refused
}
