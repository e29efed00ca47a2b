/// Who takes an answer as it comes. Called on the loop's thread, which serves every other transfer too: an
/// implementation does not wait.
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
