internal import Synchronization

/// Gathers an answer for `HTTPClient.execute`.
final class WholeResponse: ResponseReceiver {
    /// Raw until the caller takes it apart on its own thread.
    struct Gathered: Sendable {
        let head: ResponseHead
        let body: [UInt8]

        func response() -> HTTPResponse {
            HTTPResponse(status: head.status, headers: head.fields(), body: body, url: head.url)
        }
    }

    typealias Outcome = Result<Gathered, HTTPError>

    private struct Gathering: Sendable {
        var head = ResponseHead()
        var body: [UInt8] = []
        var continuation: CheckedContinuation<Outcome, Never>?
    }

    private let gathering = Mutex(Gathering())

    /// Called before the transfer is handed to the loop.
    func deliver(to continuation: CheckedContinuation<Outcome, Never>) {
        gathering.withLock { $0.continuation = continuation }
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
        let (continuation, gathered) = gathering.withLock { state in
            let continuation = state.continuation.take()
            return (continuation, Gathered(head: state.head, body: state.body))
        }
        continuation?.resume(returning: failure.map { .failure($0) } ?? .success(gathered))
    }
}
