/// The head of a response whose body is pulled with back-pressure: when the consumer does not take what came, the
/// transfer pauses, and soon the server cannot send any more.
///
/// The body is there once: two iterators share it.
public struct HTTPResponseStream: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = HTTPError

    public let status: Int
    /// In the order they came, those of the last response only.
    public let headers: [(name: String, value: String)]
    /// After redirects.
    public let url: String
    private let transfer: StreamedTransfer

    init(head: ResponseHead, transfer: StreamedTransfer) {
        status = head.status
        headers = head.fields()
        url = head.url
        self.transfer = transfer
    }

    /// First value of a header, name in any letter case.
    public func header(_ name: String) -> String? { firstValue(of: name, in: headers) }

    /// Pieces of the decoded body, in the sizes they came in; never empty ones.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let transfer: StreamedTransfer

        /// The next bytes, nil at the end of a complete body. Cancelling the task ends the transfer.
        ///
        /// - Throws: what ended the transfer early, after the bytes that came before it.
        public mutating func next() async throws(HTTPError) -> [UInt8]? { try await transfer.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(transfer: transfer) }

    /// What is left of the body where the answer has come to its end already: a small one often has when its head is
    /// there. nil where more is to come, or it broke off; nothing is taken then.
    public func takeRest() -> [UInt8]? { transfer.takeRest() }

    /// Ends the transfer; dropping the last reference to the stream does the same.
    public func cancel() { transfer.cancel() }
}

/// The consumer's end of a streamed transfer, alive as long as a stream or one of its iterators is.
final class StreamedTransfer: Sendable {
    private let response: StreamedResponse
    private let exchange: Exchange
    private let inbox: Inbox

    init(response: StreamedResponse, exchange: Exchange, inbox: Inbox) {
        self.response = response
        self.exchange = exchange
        self.inbox = inbox
    }

    deinit { cancel() }

    func next() async throws(HTTPError) -> [UInt8]? {
        while true {
            if Task.isCancelled { cancel() }
            switch response.take() {
            case .bytes(let bytes, let resume):
                // When the inbox is closed the loop ends the transfer by itself.
                if resume { _ = inbox.submit(.resumeReceiving(exchange)) }
                return bytes
            case .end: return nil
            case .failed(let failure): throw failure
            case .nothingYet:
                await withTaskCancellationHandler {
                    await response.wait()
                } onCancel: {
                    cancel()
                }
            }
        }
    }

    func takeRest() -> [UInt8]? { response.takeWhole() }

    func cancel() {
        if response.abandon() { exchange.cancel(through: inbox) }
    }
}
