internal import Synchronization

/// Gathers an answer for `HTTPClient.start` and `execute`.
final class WholeResponse: ResponseReceiver {
    /// Raw, to be taken apart by whoever needs it.
    struct Gathered: Sendable {
        let head: ResponseHead
        let body: [UInt8]

        func response() -> HTTPResponse { HTTPResponse(head: head, body: body) }
    }

    typealias Outcome = Result<Gathered, HTTPError>

    private struct Gathering: Sendable {
        var head = ResponseHead()
        var body: [UInt8] = []
        /// Called once.
        var completion: (@Sendable (Outcome) -> Void)?
    }

    private let gathering = Mutex(Gathering())

    /// Called before the transfer is handed to the loop. `completion` is called once, on the loop's thread, or on the
    /// caller's if the client is shut down.
    func deliver(to completion: @escaping @Sendable (Outcome) -> Void) {
        gathering.withLock { $0.completion = completion }
    }

    func receive(head: ResponseHead) {
        gathering.withLock { $0.head = head }
    }

    func endTurn() {}

    func receive(body: UnsafeRawBufferPointer) -> BodyReception {
        gathering.withLock { $0.body.append(contentsOf: body) }
        return .taken
    }

    func finish(_ failure: HTTPError?) {
        let (completion, gathered) = gathering.withLock { state in
            let gathered = Gathered(head: state.head, body: state.body)
            state.body = []
            return (state.completion.take(), gathered)
        }
        completion?(failure.map { .failure($0) } ?? .success(gathered))
    }
}
