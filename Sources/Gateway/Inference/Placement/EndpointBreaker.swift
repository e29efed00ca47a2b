/// Notices that an endpoint's answers fail, although its polls may be fine, and when they are good again.
///
/// Pure: all times are seconds on one clock of the caller's.
struct EndpointBreaker: Sendable {
    /// Under which circumstances a request was sent. The outcome of a request that was sent before the breaker tripped
    /// says nothing about the endpoint now.
    struct Pass: Sendable, Hashable {
        /// The number of the trip during which the request was sent; 0 if the breaker was closed.
        var trip: UInt32 = 0
        /// The number of the trial that the request is; 0 if it is none.
        var trial: UInt32 = 0
    }

    /// This many failures in a row trip the breaker, however far apart they are: an endpoint that is used once an hour and
    /// always fails is broken as well.
    static let failuresInARow = 3
    /// The breaker also trips if half of this many last outcomes are failures, counting those of the last `span` seconds.
    static let remembered = 20
    static let span = 30.0
    /// Fewer outcomes than this say nothing about a share of failures.
    static let leastOutcomes = 6
    /// Seconds from a trip to the first trial. Each trial that fails doubles the time to the next one.
    static let firstDelay = 5.0
    static let longestDelay = 60.0

    /// A ring of the last outcomes' times; bit n of `failures` says that outcome n is a failure.
    private var times: [Double] = []
    private var failures: UInt32 = 0
    private var next = 0
    private var inARow = 0

    private(set) var isTripped = false
    private var trip: UInt32 = 0
    private var delay = firstDelay
    private var lastTrial: UInt32 = 0
    /// 0 if no trial is in flight.
    private var trialInFlight: UInt32 = 0
    /// When the next trial may be sent.
    private(set) var trialAt = 0.0

    func isTrialDue(at now: Double) -> Bool { isTripped && trialInFlight == 0 && now >= trialAt }

    /// A request is sent to the endpoint.
    mutating func pass(at now: Double) -> Pass {
        guard isTripped else { return Pass() }
        guard isTrialDue(at: now) else { return Pass(trip: trip) }
        lastTrial += 1
        trialInFlight = lastTrial
        return Pass(trip: trip, trial: lastTrial)
    }

    /// A good answer has begun. A trial may take as long as a stream lasts, so from here on it does not keep the next
    /// trial from being sent.
    mutating func began(_ pass: Pass, at now: Double) {
        guard endTrial(pass) else { return }
        trialAt = now + delay
    }

    /// An answer was good to its end.
    mutating func succeeded(_ pass: Pass, at now: Double) {
        guard isTripped else { return note(isFailure: false, at: now) }
        if pass.trip == trip { close() }
    }

    mutating func failed(_ pass: Pass, at now: Double) {
        guard isTripped else {
            note(isFailure: true, at: now)
            if inARow >= Self.failuresInARow || isHalfFailed(at: now) { open(at: now) }
            return
        }
        guard pass.trip == trip, pass.trial > 0 else { return }
        _ = endTrial(pass)
        delay = min(2 * delay, Self.longestDelay)
        trialAt = now + delay
    }

    /// The request ended, and nothing was learnt from it. If it was the trial, the next one comes after the same delay.
    mutating func left(_ pass: Pass, at now: Double) {
        if endTrial(pass) { trialAt = now + delay }
    }

    private mutating func endTrial(_ pass: Pass) -> Bool {
        guard isTripped, pass.trip == trip, pass.trial > 0, pass.trial == trialInFlight else { return false }
        trialInFlight = 0
        return true
    }

    private mutating func open(at now: Double) {
        isTripped = true
        trip += 1
        delay = Self.firstDelay
        trialAt = now + delay
        trialInFlight = 0
    }

    private mutating func close() {
        isTripped = false
        times.removeAll(keepingCapacity: true)
        failures = 0
        next = 0
        inARow = 0
    }

    private mutating func note(isFailure: Bool, at now: Double) {
        if times.count < Self.remembered { times.append(now) } else { times[next] = now }
        if isFailure { failures |= 1 << UInt32(next) } else { failures &= ~(1 << UInt32(next)) }
        next = (next + 1) % Self.remembered
        inARow = isFailure ? inARow + 1 : 0
    }

    private func isHalfFailed(at now: Double) -> Bool {
        var outcomes = 0
        var failed = 0
        for index in times.indices where now - times[index] <= Self.span {
            outcomes += 1
            if failures & 1 << UInt32(index) != 0 { failed += 1 }
        }
        return outcomes >= Self.leastOutcomes && 2 * failed >= outcomes
    }
}
