extension ActiveTransfer {
    /// Whether the loop has to look after it: libcurl knows of neither timeout.
    var isTimed: Bool { exchange.request.firstByteTimeout != nil || exchange.request.idleTimeout != nil }

    /// When it is to be ended unless something comes before.
    private var deadline: ContinuousClock.Instant? {
        bodyBytes == 0
            ? exchange.request.firstByteTimeout.map { started + $0 }
            : exchange.request.idleTimeout.map { lastProgress + $0 }
    }

    /// How it has failed where its time has run out.
    func overdue(at now: ContinuousClock.Instant) -> HTTPError? {
        guard let deadline, deadline <= now else { return nil }
        guard isConnected else { return HTTPError(.connectTimeout, "no connection in time") }
        return HTTPError(
            .timeout, bodyBytes == 0 ? "no first byte of an answer in time" : "nothing more of the answer in time")
    }

    /// When the loop has to look again. A first byte can bring the deadline forward, though never to less than the idle
    /// timeout from then on, so looking that often misses none, and a piece that comes costs no more than a look at the
    /// clock.
    func nextLook(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let idle = exchange.request.idleTimeout.map { now + $0 }
        guard let deadline else { return idle }
        return idle.map { min($0, deadline) } ?? deadline
    }
}
