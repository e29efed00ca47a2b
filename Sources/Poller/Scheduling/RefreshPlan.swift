import Catalog

/// Spreads what a refresh says over the refresh interval, so that retention never takes away what is alive.
struct RefreshPlan: Sendable {
    /// A scheduler that was away for longer begins anew instead of catching up in one burst.
    static let longestPause = Duration.seconds(5)

    let interval: Duration
    private var start = Duration.zero
    private var lastAdvance: Duration?
    private var messages: [Refresh] = []
    private var sent = 0

    init(interval: Duration) { self.interval = interval }

    /// The messages to be published now; `make` is asked for all of them at the start of each interval.
    mutating func due(now: Duration, make: () -> [Refresh]) -> [Refresh] {
        var due: [Refresh] = []
        if let lastAdvance, now - lastAdvance <= Self.longestPause {
            if now - start >= interval {
                due = Array(messages[sent...])
                begin(at: start + interval, make())
            }
        } else {
            begin(at: now, make())
        }
        lastAdvance = now
        while sent < messages.count, start + interval * (Double(sent) + 0.5) / Double(messages.count) <= now {
            due.append(messages[sent])
            sent += 1
        }
        return due
    }

    private mutating func begin(at start: Duration, _ messages: [Refresh]) {
        self.start = start
        self.messages = messages
        sent = 0
    }
}
