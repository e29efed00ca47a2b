/// What becomes known about endpoints.
extension EndpointChooser {
    var count: Int { slots.count }
    func inFlight(_ id: String) -> Int { load(id)?.inFlight ?? 0 }
    func isSuspect(_ id: String) -> Bool { load(id)?.isSuspect ?? false }
    func isTripped(_ id: String) -> Bool { load(id)?.breaker.isTripped ?? false }

    private func load(_ id: String) -> EndpointLoad? { slots[id].map { loads[$0] } }

    /// A good answer's first byte came this long after its request was sent. Tell only of good answers: a fast failure
    /// must not look like a fast server.
    mutating func began(_ grant: Grant, firstByte: Duration, now: ContinuousClock.Instant) {
        let now = seconds(now)
        loads[grant.slot].observe(firstByte: firstByte.inSeconds, at: now)
        loads[grant.slot].breaker.began(grant.pass, at: now)
    }

    /// Gives a place back, once for each grant, and says how the request ended.
    mutating func release(_ grant: Grant, _ result: AnswerResult, now: ContinuousClock.Instant) {
        loads[grant.slot].inFlight -= 1
        learn(grant.slot, grant.pass, result, seconds(now))
    }

    private mutating func learn(_ slot: Int, _ pass: EndpointBreaker.Pass, _ result: AnswerResult, _ now: Double) {
        switch result {
        case .succeeded:
            loads[slot].breaker.succeeded(pass, at: now)
        case .failed:
            loads[slot].breaker.failed(pass, at: now)
            loads[slot].refuse(at: now)
        case .full(let duration):
            loads[slot].breaker.failed(pass, at: now)
            loads[slot].fullUntil = max(loads[slot].fullUntil, now + duration.inSeconds)
        case .refused:
            loads[slot].breaker.left(pass, at: now)
            loads[slot].refuse(at: now)
        case .unknown:
            loads[slot].breaker.left(pass, at: now)
        case .unreachable:
            loads[slot].breaker.left(pass, at: now)
            loads[slot].isSuspect = true
        }
    }

    /// Puts an endpoint behind all others until it is trusted again. The caller knows that it has a record.
    mutating func suspect(_ id: String, now: ContinuousClock.Instant) {
        let slot = slot(of: id, seconds(now))
        loads[slot].isSuspect = true
    }

    /// Its newest snapshot counts again. False if it was no suspect.
    mutating func trust(_ id: String) -> Bool {
        guard let slot = slots[id], loads[slot].isSuspect else { return false }
        loads[slot].isSuspect = false
        return true
    }

    /// Its record is gone. Requests in flight stay counted; what is still learnt from them goes with age.
    mutating func forget(_ id: String) {
        guard let slot = slots[id] else { return }
        if loads[slot].inFlight > 0 { loads[slot].forget() } else { drop(slot) }
    }
}
