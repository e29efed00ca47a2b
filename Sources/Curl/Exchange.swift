internal import Synchronization

/// One request with who takes its answer: what a caller and the loop's thread share of a transfer.
final class Exchange: Sendable {
    /// Without its body.
    let request: HTTPRequest
    let receiver: any ResponseReceiver
    /// Where the request's body waits, when it is a stream.
    let upload: UploadBuffer?
    private let body: Mutex<HTTPRequest.Body>
    private let cancellation = Atomic(false)

    init(_ request: HTTPRequest, receiver: any ResponseReceiver) throws(HTTPError) {
        try request.validate()
        body = Mutex(request.body)
        var request = request
        if case .stream(let length, let sequence) = request.body {
            upload = UploadBuffer(sequence: sequence, length: length)
        } else {
            upload = nil
        }
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
