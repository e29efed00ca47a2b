import Catalog
import Hummingbird
import Synchronization

/// Gives requests their places at endpoints, and lets them wait in order where all are taken. What it knows, the
/// requests in flight and the times of answers, is this gateway's own.
final class Dispatcher: Sendable {
    /// What a request needs a place for.
    struct Wish: Sendable {
        /// The targets as the catalog has them now; throws the answer where there are none.
        var targets: @Sendable () throws(HTTPFailure) -> [InferenceTarget]
        /// Requests with the same text are kept on one endpoint.
        var sticky: String?
        /// Endpoints that were asked already, by id.
        var excluded: Set<String> = []
        /// Tells when the client is gone, and nothing is wanted any more.
        var session: InferenceSession?

        func current() throws(HTTPFailure) -> [InferenceTarget] {
            try targets().filter { !excluded.contains($0.endpoint.id) }
        }
    }

    private struct Entry {
        let wish: Wish
        var targets: [InferenceTarget]
        let waiter: PlaceWaiter
    }

    private struct State {
        var chooser = EndpointChooser()
        var line: WaitingLine<Entry>
        var generator = SystemRandomNumberGenerator()
    }

    private enum Attempt {
        case placed(Int)
        case waiting(UInt64)
        case lineFull
        case none
    }

    private let state: Mutex<State>
    private let patience: Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - sleep: waits, for tests to say how long that is
    init(
        limits: InferenceLimits,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        state = Mutex(State(line: WaitingLine(limit: limits.queueLength)))
        patience = limits.queue
        self.sleep = sleep
    }

    /// A place; nil where there is no target left but those excluded. Waits while all are full.
    ///
    /// Throws what `wish.targets` throws, 429 `queue_full` where too many wait or the wait was too long, and
    /// `CancellationError`.
    func place(for wish: Wish) async throws -> Place? {
        let targets = try wish.current()
        let waiter = PlaceWaiter()
        switch attempt(wish, targets, waiter) {
        case .none: return nil
        case .placed(let index): return Place(targets[index], self)
        case .lineFull: throw Self.queueFull("Every endpoint of this model is busy, and so is the queue.")
        case .waiting(let ticket):
            wish.session?.onCancel { self.leave(ticket, .cancelled) }
            return try await wait(waiter, ticket)
        }
    }

    /// A place that is free now; nil where there is none.
    func placeAtOnce(for wish: Wish) -> Place? {
        let targets: [InferenceTarget]
        do {
            targets = try wish.current()
        } catch {
            // Gone from the catalog meanwhile: what the caller has is then the answer.
            return nil
        }
        guard case .placed(let index) = attempt(wish, targets, nil) else { return nil }
        return Place(targets[index], self)
    }

    /// Takes a place, or stands in the line where `waiter` is given.
    private func attempt(_ wish: Wish, _ targets: [InferenceTarget], _ waiter: PlaceWaiter?) -> Attempt {
        state.withLock { state in
            // Nobody who comes now goes before those who wait, also where the catalog has just made room.
            Self.serve(&state)
            switch Self.choose(targets, sticky: wish.sticky, &state) {
            case .chosen(let index): return .placed(index)
            case .none: return .none
            case .full:
                guard let waiter else { return .lineFull }
                let ticket = state.line.join(Entry(wish: wish, targets: targets, waiter: waiter))
                return ticket.map { .waiting($0) } ?? .lineFull
            }
        }
    }

    private static func choose(
        _ targets: [InferenceTarget], sticky: String?, _ state: inout State
    ) -> EndpointChooser.Choice {
        state.chooser.choose(
            among: targets.map(\.candidate), sticky: sticky, now: .now, using: &state.generator)
    }

    /// Gives the free places to those who wait, in order; only the one at `endpoint` where that is given.
    private static func serve(at endpoint: String? = nil, _ state: inout State) {
        guard !state.line.isEmpty else { return }
        var line = state.line
        var isDone = false
        line.offer { entry in
            if isDone { return nil }
            if let endpoint, !entry.targets.contains(where: { $0.endpoint.id == endpoint }) { return false }
            guard case .chosen(let index) = choose(entry.targets, sticky: entry.wish.sticky, &state) else {
                return false
            }
            entry.waiter.finish(.placed(entry.targets[index]))
            isDone = endpoint != nil
            return true
        }
        state.line = line
    }

    private func wait(_ waiter: PlaceWaiter, _ ticket: UInt64) async throws -> Place? {
        let timer = Task { [sleep, patience] in
            // Cancelled when the wait is over: then there is nothing left to end.
            do { try await sleep(patience) } catch { return }
            self.leave(ticket, .timedOut)
        }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler {
            await waiter.outcome()
        } onCancel: {
            leave(ticket, .cancelled)
        }
        switch outcome {
        case .placed(let target):
            let place = Place(target, self)
            // Cancelled just when a place was given: `place` gives it back as it goes.
            try Task.checkCancellation()
            return place
        case .timedOut: throw Self.queueFull("Every endpoint of this model stayed busy.")
        case .cancelled: throw CancellationError()
        case .failed(let failure): throw failure
        case .noneLeft: return nil
        }
    }

    private func leave(_ ticket: UInt64, _ outcome: PlaceWaiter.Outcome) {
        state.withLock { $0.line.leave(ticket) }?.waiter.finish(outcome)
    }

    static func queueFull(_ message: String) -> HTTPFailure {
        HTTPFailure(
            .tooManyRequests, code: "queue_full", "\(message) Try again shortly.", headers: [.retryAfter: "1"])
    }

    // MARK: What becomes known

    fileprivate func release(_ endpoint: String) {
        state.withLock { state in
            state.chooser.release(endpoint)
            Self.serve(at: endpoint, &state)
        }
    }

    /// An answer began this long after its request was sent.
    func observe(_ endpoint: String, firstByte: Duration) {
        state.withLock { $0.chooser.observe(endpoint, firstByte: firstByte, now: .now) }
    }

    /// Puts an endpoint behind all others until its next snapshot.
    func suspect(_ endpoint: String) { state.withLock { $0.chooser.suspect(endpoint) } }

    /// A newer snapshot of it counts.
    func trust(_ endpoint: String) { state.withLock { _ = $0.chooser.trust(endpoint) } }

    /// Its record is gone.
    func forget(_ endpoint: String) { state.withLock { $0.chooser.forget(endpoint) } }

    func inFlight(_ endpoint: String) -> Int { state.withLock { $0.chooser.inFlight(endpoint) } }
    func isSuspect(_ endpoint: String) -> Bool { state.withLock { $0.chooser.isSuspect(endpoint) } }
    var waiting: Int { state.withLock { $0.line.waiters.count } }

    /// Looks up the targets of those who wait once more: the catalog has changed.
    func refresh() {
        let waiting = state.withLock { $0.line.waiters.map { ($0.ticket, $0.entry.wish) } }
        guard !waiting.isEmpty else { return }
        for (ticket, wish) in waiting {
            do throws(HTTPFailure) {
                let targets = try wish.current()
                guard !targets.isEmpty else {
                    leave(ticket, .noneLeft)
                    continue
                }
                state.withLock { $0.line.update(ticket) { $0.targets = targets } }
            } catch {
                leave(ticket, .failed(error))
            }
        }
        state.withLock { Self.serve(&$0) }
    }
}

/// A request's place at an endpoint: one of those that it takes at once. Given back once, at the latest with the last
/// reference.
final class Place: Sendable {
    let target: InferenceTarget
    private let dispatcher: Dispatcher
    private let isReleased = Atomic(false)

    fileprivate init(_ target: InferenceTarget, _ dispatcher: Dispatcher) {
        self.target = target
        self.dispatcher = dispatcher
    }

    deinit { release() }

    func release() {
        if !isReleased.exchange(true, ordering: .acquiringAndReleasing) { dispatcher.release(target.endpoint.id) }
    }
}

/// One that waits for a place, and what becomes of that.
final class PlaceWaiter: Sendable {
    enum Outcome: Sendable {
        case placed(InferenceTarget)
        case timedOut
        case cancelled
        case failed(HTTPFailure)
        case noneLeft
    }

    private struct State {
        var outcome: Outcome?
        var continuation: CheckedContinuation<Outcome, Never>?
    }

    private let state = Mutex(State())

    /// The first counts; who leaves the line finishes its waiter, so there is but one.
    func finish(_ outcome: Outcome) {
        let continuation = state.withLock { state in
            if state.outcome == nil { state.outcome = outcome }
            return state.continuation.take()
        }
        continuation?.resume(returning: outcome)
    }

    func outcome() async -> Outcome {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.continuation = continuation }
                return state.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
