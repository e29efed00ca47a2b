/// What a request's end says about its endpoint.
enum AnswerResult: Sendable, Hashable {
    /// Nothing: the client left, or the gateway stops.
    case unknown
    /// A good answer passed to its end.
    case succeeded
    /// An answer such as 400 was passed on. It is no failure, but it must not make a fast server of the endpoint either.
    case refused
    /// 5xx, a reset, an answer that broke off, a key that the endpoint does not take.
    case failed
    /// 429. The endpoint counts as full for this long, and the answer counts as a failure.
    ///
    /// The dispatcher has no timers: its caller calls `Dispatcher.serve(at:)` when the time is over.
    case full(Duration)
    /// Nothing could be sent (name, connect, TLS): a suspect until its next snapshot.
    case unreachable
}

/// What this gateway knows of one endpoint. Times are seconds on the chooser's clock.
struct EndpointLoad: Sendable {
    /// How many seconds it takes until refusals no longer count.
    static let refusalSpan = 2.0
    /// The weight of the newest time in the average.
    static let weightOfNewest = 0.2

    let id: String
    /// Of the id, for stickiness.
    let hash: UInt64
    var inFlight = 0
    /// The last time that the endpoint was a candidate.
    var used: Double
    var isSuspect = false
    var fullUntil = -Double.infinity
    /// The average time to the first byte in seconds, with more weight on later ones; nil before the first.
    var latency: Double?
    var observed = 0.0
    var breaker = EndpointBreaker()
    private var refusals = 0.0
    private var refused = 0.0

    init(id: String, now: Double) {
        self.id = id
        hash = StableHash.of(id.utf8)
        used = now
    }

    func hasRoom(_ maximum: Int?, at now: Double) -> Bool { inFlight < maximum ?? .max && fullUntil <= now }

    /// The requests that count as being there: those in flight, and for a while those that were refused. Without the
    /// latter an endpoint that refuses at once would always be idle, and so always be chosen.
    func presence(at now: Double) -> Double {
        refusals > 0 ? Double(inFlight) + refusals * max(0, 1 - (now - refused) / Self.refusalSpan) : Double(inFlight)
    }

    mutating func refuse(at now: Double) {
        refusals = presence(at: now) - Double(inFlight) + 1
        refused = now
    }

    mutating func observe(firstByte seconds: Double, at now: Double) {
        latency = latency.map { $0 + (seconds - $0) * Self.weightOfNewest } ?? seconds
        observed = now
    }

    /// All that was learnt is forgotten; requests in flight stay counted.
    mutating func forget() {
        let inFlight = inFlight
        self = EndpointLoad(id: id, now: used)
        self.inFlight = inFlight
    }
}
