import Synchronization

/// Finds endpoints that are busy and not dead: the last poll of them got no answer in time, and a request here is getting
/// bytes from them.
final class LifeSigns: Sendable {
    /// One endpoint is told of once in this time.
    static let interval = Duration.seconds(5)

    private let report: @Sendable (String) -> Void
    /// Endpoints whose last poll got no answer in time, and when each was last told of.
    private let doubted = Mutex<[String: ContinuousClock.Instant?]>([:])
    /// Mostly there are none, and that is all that an exchange asks.
    private let hasDoubts = Atomic(false)

    /// - Parameter report: tells the pollers of an endpoint; called on an event loop, so it must not wait
    init(_ report: @escaping @Sendable (String) -> Void) { self.report = report }

    /// A poll of the endpoint has been reported.
    func polled(_ endpoint: String, hasTimedOut: Bool) {
        doubted.withLock { doubted in
            if !hasTimedOut {
                doubted[endpoint] = nil
            } else if doubted[endpoint] == nil {
                doubted.updateValue(nil, forKey: endpoint)
            }
            hasDoubts.store(!doubted.isEmpty, ordering: .relaxed)
        }
    }

    func sawBytes(of endpoint: String, now: ContinuousClock.Instant = .now) {
        guard hasDoubts.load(ordering: .relaxed) else { return }
        let isDue = doubted.withLock { doubted in
            guard let last = doubted[endpoint] else { return false }
            if let last, now - last < Self.interval { return false }
            doubted[endpoint] = .some(now)
            return true
        }
        if isDue { report(endpoint) }
    }
}
