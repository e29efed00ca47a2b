internal import Synchronization

/// Holds the body of a request between the caller's sequence and libcurl. A task pulls the sequence while fewer than
/// `highWater` bytes wait; libcurl takes what is there and pauses the sending when there is nothing.
final class UploadBuffer: Sendable {
    static let highWater = 64 << 10

    /// What there is to send.
    enum Reading: Sendable {
        case bytes(Int)
        case nothingYet
        case end
        case failed(HTTPError)
    }

    private struct State: Sendable {
        var bytes: [UInt8] = []
        /// How many of `bytes` were sent.
        var offset = 0
        var pulled = 0
        var end: Reading?
        /// libcurl waits for bytes.
        var isPaused = false
        var isClosed = false
        var task: Task<Void, Never>?
        var roomWaiter: CheckedContinuation<Void, Never>?

        var waiting: Int { bytes.count - offset }
    }

    private let sequence: any AsyncSequence<[UInt8], any Error> & Sendable
    private let length: Int?
    private let state = Mutex(State())

    init(sequence: any AsyncSequence<[UInt8], any Error> & Sendable, length: Int?) {
        self.sequence = sequence
        self.length = length
    }

    /// Starts pulling; `resume` is called when bytes or the end come after a read that found nothing.
    func start(resume: @escaping @Sendable () -> Void) {
        state.withLock { state in
            guard state.task == nil, !state.isClosed else { return }
            state.task = Task { await self.pull(self.sequence, resume: resume) }
        }
    }

    /// For the loop: copies what is there.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Reading {
        let (reading, waiter) = state.withLock { state -> (Reading, CheckedContinuation<Void, Never>?) in
            if state.waiting > 0 {
                let count = min(buffer.count, state.waiting)
                buffer.copyBytes(from: state.bytes[state.offset..<state.offset + count])
                state.offset += count
                if state.waiting == 0 {
                    state.bytes.removeAll(keepingCapacity: state.bytes.count <= Self.highWater)
                    state.offset = 0
                }
                return (.bytes(count), state.waiting < Self.highWater ? state.roomWaiter.take() : nil)
            }
            if let end = state.end { return (end, nil) }
            state.isPaused = true
            return (.nothingYet, nil)
        }
        waiter?.resume()
        return reading
    }

    /// For the loop: the transfer is over, nothing is pulled any more.
    func close() {
        let (task, waiter) = state.withLock { state in
            state.isClosed = true
            state.bytes = []
            state.offset = 0
            return (state.task.take(), state.roomWaiter.take())
        }
        task?.cancel()
        waiter?.resume()
    }

    private func pull<Source: AsyncSequence>(_ source: Source, resume: () -> Void) async
    where Source.Element == [UInt8] {
        do {
            for try await piece in source {
                guard append(piece, resume: resume) else { return }
                await waitForRoom()
            }
            end(resume: resume)
        } catch {
            // The error is the caller's own and may quote the body: it stays out of the message.
            finish(.failed(HTTPError(.requestBody, "the sequence of the body threw")), resume: resume)
        }
    }

    /// False when nothing more is wanted.
    private func append(_ piece: [UInt8], resume: () -> Void) -> Bool {
        guard !piece.isEmpty else { return true }
        let (isWanted, wasPaused) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            let wasPaused = state.isPaused
            state.isPaused = false
            state.pulled += piece.count
            if let length, state.pulled > length {
                state.end = .failed(HTTPError(.requestBody, "the body is longer than told"))
                state.bytes = []
                state.offset = 0
                return (false, wasPaused)
            }
            if state.offset > Self.highWater {
                state.bytes.removeFirst(state.offset)
                state.offset = 0
            }
            state.bytes.append(contentsOf: piece)
            return (true, wasPaused)
        }
        if wasPaused { resume() }
        return isWanted
    }

    private func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.isClosed || state.waiting < Self.highWater { return true }
                state.roomWaiter = continuation
                return false
            }
            if hasRoom { continuation.resume() }
        }
    }

    private func end(resume: () -> Void) {
        let pulled = state.withLock { $0.pulled }
        if let length, pulled < length {
            finish(.failed(HTTPError(.requestBody, "the body is shorter than told")), resume: resume)
        } else {
            finish(.end, resume: resume)
        }
    }

    private func finish(_ end: Reading, resume: () -> Void) {
        let wasPaused = state.withLock { state in
            if state.end == nil { state.end = end }
            let wasPaused = state.isPaused
            state.isPaused = false
            return wasPaused
        }
        if wasPaused { resume() }
    }
}
