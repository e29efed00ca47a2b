import Catalog

/// Which pollers have reported lately, by the time at which their rows came in, and which of them are cut off.
struct PollerPresence: Sendable {
    /// A poller that has been silent for longer does not count.
    static let window = Duration.seconds(60)

    private var seen: [String: Duration] = [:]
    /// Those that last said that they are cut off from the endpoints.
    private var cutOff: Set<String> = []

    mutating func see(_ poller: String, now: Duration) {
        seen[poller] = now
        if seen.count > 64 { seen = seen.filter { now - $0.value <= Self.window } }
        if cutOff.count > 64 { cutOff.formIntersection(seen.keys) }
    }

    mutating func see(_ poller: String, isCutOff: Bool, now: Duration) {
        if isCutOff { cutOff.insert(poller) } else { cutOff.remove(poller) }
        see(poller, now: now)
    }

    /// How many there are that reach endpoints.
    func count(now: Duration) -> Int { seen.count { now - $0.value <= Self.window && !cutOff.contains($0.key) } }

    /// Whether another poller is there; `reaching`: one that reaches endpoints.
    func hasOthers(than poller: String, reaching: Bool = false, now: Duration) -> Bool {
        seen.contains {
            $0.key != poller && now - $0.value <= Self.window && !(reaching && cutOff.contains($0.key))
        }
    }
}
