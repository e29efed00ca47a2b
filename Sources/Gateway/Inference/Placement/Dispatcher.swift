import Catalog
import HTTPTypes
import Synchronization

/// Gives requests their places at endpoints, and lets them wait in order if all are taken. What it knows, the requests
/// in flight and how answers went, is this gateway's own.
///
/// It has no tasks and no timers, and never blocks for longer than one choice takes. A caller that wants its wait to end
/// after some time calls `leave` then.
final class Dispatcher: Sendable {
    private let state: Mutex<DispatcherState>

    init(limits: InferenceLimits) {
        state = Mutex(DispatcherState(limit: limits.queueLength))
    }

    /// Takes a place, or stands in the model's line if all targets are full and `waiter` is given.
    ///
    /// The waiter is called exactly once, from any thread, unless `leave` takes the request out before. It hands the
    /// outcome to its event loop and returns: one that gave its lease back at once would serve the next waiter inside
    /// its own call, and so on along the line.
    func place(
        _ request: PlacementRequest, now: ContinuousClock.Instant = .now,
        waiter: (@Sendable (PlacementOutcome) -> Void)?
    ) -> Placement {
        let attempt = update { state, deliveries in state.place(request, now, waiter, &deliveries) }
        switch attempt {
        case .placed(let grant): return .placed(EndpointLease(request.targets[grant.index], grant, self))
        case .waiting(let ticket): return .waiting(ticket)
        case .none: return .none
        case .lineFull: return .lineFull
        }
    }

    /// Takes a request out of its line. After true its waiter is never called; after false it has been called, or is
    /// about to be.
    func leave(_ ticket: PlacementTicket) -> Bool {
        // The waiter is let go of outside the lock: with it goes all that it holds.
        let waiter = state.withLock { $0.lines.leave(ticket) }
        return waiter != nil
    }

    /// The catalog has changed: looks up the targets of those who wait once more, once for each model.
    func refresh(
        now: ContinuousClock.Instant = .now, resolve: (RequestedModel) -> Result<[InferenceTarget], HTTPFailure>
    ) {
        let models = state.withLock { $0.lines.all.map(\.model) }
        guard !models.isEmpty else { return }
        let resolved = models.map { ($0, resolve($0)) }
        update { state, deliveries in
            for (model, result) in resolved { state.refresh(model, result, &deliveries) }
            state.serve(state.lines.all, now, &deliveries)
        }
    }

    /// Serves the lines at an endpoint once more. To be called when the time of a 429 is over.
    func serve(at endpoint: String, now: ContinuousClock.Instant = .now) {
        update { state, deliveries in state.serve(at: endpoint, now, &deliveries) }
    }

    // MARK: What becomes known

    /// Puts an endpoint behind all others until its next snapshot. The caller knows that it has a record.
    func suspect(_ endpoint: String, now: ContinuousClock.Instant = .now) {
        update { state, deliveries in
            state.chooser.suspect(endpoint, now: now)
            state.serve(at: endpoint, now, &deliveries)
        }
    }

    /// A newer snapshot of it counts.
    func trust(_ endpoint: String, now: ContinuousClock.Instant = .now) {
        update { state, deliveries in
            if state.chooser.trust(endpoint) { state.serve(at: endpoint, now, &deliveries) }
        }
    }

    /// Its record is gone. `refresh` follows, and takes it from the lines.
    func forget(_ endpoint: String) { state.withLock { $0.chooser.forget(endpoint) } }

    fileprivate func began(_ grant: EndpointChooser.Grant, _ firstByte: Duration, _ now: ContinuousClock.Instant) {
        state.withLock { $0.chooser.began(grant, firstByte: firstByte, now: now) }
    }

    fileprivate func release(
        _ grant: EndpointChooser.Grant, at endpoint: String, _ result: AnswerResult, _ firstByte: Duration?,
        _ now: ContinuousClock.Instant
    ) {
        update { state, deliveries in
            if let firstByte { state.chooser.began(grant, firstByte: firstByte, now: now) }
            state.chooser.release(grant, result, now: now)
            state.serve(at: endpoint, now, &deliveries)
        }
    }

    func inFlight(_ endpoint: String) -> Int { state.withLock { $0.chooser.inFlight(endpoint) } }
    func isSuspect(_ endpoint: String) -> Bool { state.withLock { $0.chooser.isSuspect(endpoint) } }
    func isTripped(_ endpoint: String) -> Bool { state.withLock { $0.chooser.isTripped(endpoint) } }
    /// In all lines.
    var waiting: Int { state.withLock { $0.lines.count } }

    /// Changes the state, then tells the waiters what has become of them, outside the lock.
    private func update<Result: Sendable>(
        _ change: (inout DispatcherState, inout [DispatcherState.Delivery]) -> Result
    ) -> Result {
        var deliveries: [DispatcherState.Delivery] = []
        let result = state.withLock { change(&$0, &deliveries) }
        for delivery in deliveries {
            switch delivery.outcome {
            case .placed(let target, let grant): delivery.call(.placed(EndpointLease(target, grant, self)))
            case .failed(let failure): delivery.call(.failed(failure))
            case .noneLeft: delivery.call(.noneLeft)
            }
        }
        return result
    }
}

/// A request's place at an endpoint: one of those that the endpoint takes at once. It is given back once, at the latest
/// with the last reference.
final class EndpointLease: Sendable {
    let target: InferenceTarget
    private let grant: EndpointChooser.Grant
    private let dispatcher: Dispatcher
    private let isReleased = Atomic(false)

    fileprivate init(_ target: InferenceTarget, _ grant: EndpointChooser.Grant, _ dispatcher: Dispatcher) {
        self.target = target
        self.grant = grant
        self.dispatcher = dispatcher
    }

    deinit { release() }

    /// A good answer's first byte came this long after its request was sent. For the answer that is still to come
    /// in pieces; the end of a short one tells it with `release`.
    func began(firstByte: Duration, now: ContinuousClock.Instant = .now) {
        guard !isReleased.load(ordering: .acquiring) else { return }
        dispatcher.began(grant, firstByte, now)
    }

    /// Gives the place back and says how the request ended; only the first call counts.
    func release(
        _ result: AnswerResult = .unknown, firstByte: Duration? = nil, now: ContinuousClock.Instant = .now
    ) {
        guard !isReleased.exchange(true, ordering: .acquiringAndReleasing) else { return }
        dispatcher.release(grant, at: target.id, result, firstByte, now)
    }
}

extension Dispatcher {
    /// The request cannot even wait.
    static let lineFull = queueFull("Every endpoint of this model is busy, and its queue is full.")
    /// The request waited as long as it may.
    static let stayedBusy = queueFull("Every endpoint of this model stayed busy.")

    private static func queueFull(_ message: String) -> HTTPFailure {
        HTTPFailure(
            .tooManyRequests, code: "queue_full", "\(message) Try again shortly.", headers: [.retryAfter: "1"])
    }
}
