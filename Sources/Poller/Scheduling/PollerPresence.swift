import Catalog

/// Which pollers have reported lately, by the time at which their rows came in.
struct PollerPresence: Sendable {
    /// A poller that has been silent for longer does not count.
    static let window = Duration.seconds(60)

    private var seen: [String: Duration] = [:]

    mutating func see(_ poller: String, now: Duration) {
        seen[poller] = now
        if seen.count > 64 { seen = seen.filter { now - $0.value <= Self.window } }
    }

    func count(now: Duration) -> Int { seen.values.count { now - $0 <= Self.window } }

    func hasOthers(than poller: String, now: Duration) -> Bool {
        seen.contains { $0.key != poller && now - $0.value <= Self.window }
    }
}
