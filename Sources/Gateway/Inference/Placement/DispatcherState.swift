import Catalog

/// What the dispatcher's lock guards. Its methods return what is to be told to whom; the dispatcher tells it when the
/// lock is free again.
struct DispatcherState {
    /// A waiter and what it is to be told.
    struct Delivery {
        enum Outcome {
            case placed(InferenceTarget, EndpointChooser.Grant)
            case failed(HTTPFailure)
            case noneLeft
        }

        let call: @Sendable (PlacementOutcome) -> Void
        let outcome: Outcome
    }

    enum Attempt {
        case placed(EndpointChooser.Grant)
        case waiting(PlacementTicket)
        case none
        case lineFull
    }

    var chooser = EndpointChooser()
    var lines: PlacementLines
    private var generator: SplitMixGenerator

    init(limit: Int) {
        lines = PlacementLines(limit: limit)
        generator = SplitMixGenerator(seed: UInt64.random(in: 0 ... .max))
    }

    /// Takes a place, or stands in the line if `call` is given.
    mutating func place(
        _ request: PlacementRequest, _ now: ContinuousClock.Instant, _ call: (@Sendable (PlacementOutcome) -> Void)?,
        _ deliveries: inout [Delivery]
    ) -> Attempt {
        guard !request.targets.isEmpty else { return .none }
        if lines.count > 0, let line = lines.line(of: request.model) {
            // Time alone may have made room: a trial is due, or the time of a 429 is over. That room belongs to those
            // who wait. Whatever an excluding request finds after this, no waiter of the model could have used.
            serve([line], now, &deliveries)
            if !line.waiters.isEmpty && request.excluded.isEmpty { return join(request, call) }
        }
        switch chooser.choose(
            among: request.targets, sticky: request.sticky, excluding: request.excluded, now: now, using: &generator)
        {
        case .chosen(let grant): return .placed(grant)
        case .none: return .none
        case .full: return join(request, call)
        }
    }

    private mutating func join(
        _ request: PlacementRequest, _ call: (@Sendable (PlacementOutcome) -> Void)?
    ) -> Attempt {
        guard let call else { return .lineFull }
        let waiter = PlacementLines.Waiter(sticky: request.sticky, excluded: request.excluded, call: call)
        return lines.join(request.model, request.targets, waiter).map { .waiting($0) } ?? .lineFull
    }

    // MARK: Serving

    /// Something has changed at an endpoint: its lines are served, and no others.
    mutating func serve(at endpoint: String, _ now: ContinuousClock.Instant, _ deliveries: inout [Delivery]) {
        if lines.count > 0 { serve(lines.lines(at: endpoint), now, &deliveries) }
    }

    /// Gives places to the waiters of `open`, in order of arrival across these lines, as long as there are any.
    mutating func serve(
        _ open: [PlacementLines.Line], _ now: ContinuousClock.Instant, _ deliveries: inout [Delivery]
    ) {
        var open = open
        while let next = open.indices.min(by: { first(open[$0]) < first(open[$1]) }) {
            if !serveOne(open[next], now, &deliveries) || open[next].waiters.isEmpty {
                open.swapAt(next, open.count - 1)
                open.removeLast()
            }
        }
    }

    private func first(_ line: PlacementLines.Line) -> UInt64 { line.waiters.firstTicket ?? .max }

    /// Gives a place to the first waiter of a line that can have one; false if there is none.
    ///
    /// If a waiter that excludes no endpoint gets none, then no other such waiter does, as all have the same targets. One
    /// that excludes endpoints may still: for it another rank may be the best.
    private mutating func serveOne(
        _ line: PlacementLines.Line, _ now: ContinuousClock.Instant, _ deliveries: inout [Delivery]
    ) -> Bool {
        var grant: EndpointChooser.Grant?
        var isFull = false
        var excluding = line.excluding
        let targets = line.targets
        let served = lines.offer(line) { waiter in
            if waiter.excluded.isEmpty {
                if isFull { return excluding == 0 ? .end : .declined }
            } else {
                excluding -= 1
            }
            let choice = chooser.choose(
                among: targets, sticky: waiter.sticky, excluding: waiter.excluded, now: now, using: &generator)
            if case .chosen(let chosen) = choice {
                grant = chosen
                return .taken
            }
            if waiter.excluded.isEmpty { isFull = true }
            return isFull && excluding == 0 ? .end : .declined
        }
        guard let served, let grant else { return false }
        deliveries.append(Delivery(call: served.call, outcome: .placed(targets[grant.index], grant)))
        return true
    }

    // MARK: A changed catalog

    /// Takes over what the catalog says of the endpoints of a model now, and ends the waits that have become hopeless.
    mutating func refresh(
        _ model: RequestedModel, _ resolved: Result<[InferenceTarget], HTTPFailure>, _ deliveries: inout [Delivery]
    ) {
        guard let line = lines.line(of: model) else { return }
        switch resolved {
        case .failure(let failure): end(line, .failed(failure), &deliveries) { _ in true }
        case .success(let targets):
            lines.retarget(line, targets)
            end(line, .noneLeft, &deliveries) { waiter in
                targets.allSatisfy { waiter.excluded.contains($0.id) }
            }
        }
    }

    private mutating func end(
        _ line: PlacementLines.Line, _ outcome: Delivery.Outcome, _ deliveries: inout [Delivery],
        _ isHopeless: (PlacementLines.Waiter) -> Bool
    ) {
        while let waiter = lines.offer(line, { isHopeless($0) ? .taken : .declined }) {
            deliveries.append(Delivery(call: waiter.call, outcome: outcome))
        }
    }
}
