internal import Synchronization

/// Holds an answer between the loop, which fills it, and the consumer of a `HTTPResponseStream`, who empties it. Bounded:
/// once `highWater` bytes wait, libcurl is told to keep what it has and stops reading from the socket.
final class StreamedResponse: ResponseReceiver {
    /// Enough for a consumer a wake-up away not to stall a fast network; one more piece of libcurl's (16 KiB) may come on
    /// top of it.
    static let highWater = 256 << 10

    private enum End: Sendable {
        case complete
        case failed(HTTPError)
    }

    private struct State: Sendable {
        var headWaiter: CheckedContinuation<Result<ResponseHead, HTTPError>, Never>?
        /// Until the waiter is told.
        var head: ResponseHead?
        var buffer: [UInt8] = []
        /// The loop holds data back; who empties the buffer has to resume it.
        var isPaused = false
        var end: End?
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            let taken = waiters
            waiters = []
            return taken
        }
    }

    /// What there is for a consumer.
    enum Next: Sendable {
        case bytes([UInt8], resume: Bool)
        case end
        case failed(HTTPError)
        case nothingYet
    }

    private let state = Mutex(State())

    /// Called before the transfer is handed to the loop.
    func deliverHead(to continuation: CheckedContinuation<Result<ResponseHead, HTTPError>, Never>) {
        state.withLock { $0.headWaiter = continuation }
    }

    func receive(head: ResponseHead) {
        state.withLock { $0.head = head }
    }

    /// Only now is the head told: whoever is woken finds what came with it, often the whole of a small answer.
    func endTurn() {
        tellHead()
        let waiters = state.withLock { $0.buffer.isEmpty ? [] : $0.takeWaiters() }
        for waiter in waiters { waiter.resume() }
    }

    private func tellHead() {
        let (waiter, head) = state.withLock { state in
            state.head == nil ? (nil, nil) : (state.headWaiter.take(), state.head.take())
        }
        if let head { waiter?.resume(returning: .success(head)) }
    }

    func receive(body: UnsafeRawBufferPointer) -> BodyReception {
        state.withLock { state in
            if state.end != nil { return .refused }
            if state.buffer.count >= Self.highWater {
                state.isPaused = true
                return .pause
            }
            state.buffer.append(contentsOf: body)
            return .taken
        }
    }

    func finish(_ failure: HTTPError?) {
        defer { tellHead() }
        let (headWaiter, waiters) = state.withLock { state in
            if state.end == nil { state.end = failure.map { .failed($0) } ?? .complete }
            return (state.head == nil ? state.headWaiter.take() : nil, state.takeWaiters())
        }
        headWaiter?.resume(returning: .failure(failure ?? HTTPError(.truncated, "no head of an answer")))
        for waiter in waiters { waiter.resume() }
    }

    /// For the consumer: gives up what is buffered and what is to come. False when the transfer had ended already.
    func abandon() -> Bool {
        let (wasOpen, waiters) = state.withLock { state in
            let wasOpen = state.end == nil
            state.buffer = []
            state.end = .failed(.cancelled)
            return (wasOpen, state.takeWaiters())
        }
        for waiter in waiters { waiter.resume() }
        return wasOpen
    }

    /// Everything buffered, in one piece.
    func take() -> Next {
        state.withLock { state in
            if !state.buffer.isEmpty {
                let bytes = state.buffer
                state.buffer = []
                let resume = state.isPaused
                state.isPaused = false
                return .bytes(bytes, resume: resume)
            }
            switch state.end {
            case nil: return .nothingYet
            case .complete: return .end
            case .failed(let failure): return .failed(failure)
            }
        }
    }

    /// The whole body where the answer is complete and nothing of it was taken yet; nil otherwise, and nothing is taken.
    func takeWhole() -> [UInt8]? {
        state.withLock { state in
            guard case .complete? = state.end, !state.isPaused else { return nil }
            let bytes = state.buffer
            state.buffer = []
            return bytes
        }
    }

    /// Returns when `take` has something.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if !state.buffer.isEmpty || state.end != nil { return true }
                state.waiters.append(continuation)
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
