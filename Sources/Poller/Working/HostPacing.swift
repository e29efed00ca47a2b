import DequeModule

/// Holds back polls of one host while several are on their way to it. Pure.
///
/// Hundreds of endpoints may stand behind one proxy, and be due at one moment. Each poll at a time needs a connection of its
/// own there, and often a TLS handshake. So no more than `limit` are begun at once. A poll that takes far longer than is
/// usual at that host no longer counts: otherwise a few endpoints that hang would hold up all others behind their proxy.
struct HostPacing: Sendable {
    static let limit = 8
    /// So many times the usual time is "far longer", but no less than the one and no more than the other of these.
    private static let factor = 4.0
    private static let bounds = Duration.milliseconds(20)...Duration.milliseconds(500)

    private struct Host: Sendable {
        /// Polls that count, and until when.
        var counted: [(number: Int, until: Duration)] = []
        var waiting: Deque<Int> = []
        /// A running mean of how long an answer takes.
        var usual = Duration.milliseconds(100)

        var patience: Duration { min(max(usual * factor, bounds.lowerBound), bounds.upperBound) }
        var isIdle: Bool { counted.isEmpty && waiting.isEmpty }

        /// Begins as many as there is room for.
        mutating func begin(at now: Duration) -> [Int] {
            counted.removeAll { $0.until <= now }
            var begun: [Int] = []
            while counted.count < limit, let number = waiting.popFirst() {
                counted.append((number, now + patience))
                begun.append(number)
            }
            return begun
        }
    }

    private var hosts: [String: Host] = [:]
    /// Those with polls that wait.
    private var full: Set<String> = []

    /// When `wake` has something to do.
    var deadline: Duration? { full.lazy.compactMap { hosts[$0]?.counted.lazy.map(\.until).min() }.min() }

    /// A poll is to be made. Gives the polls that are to be begun now: this one, or none.
    mutating func add(_ number: Int, to host: String, at now: Duration) -> [Int] {
        hosts[host, default: Host()].waiting.append(number)
        return begin(host, at: now)
    }

    /// A poll that was begun has ended. Gives the polls that are to be begun now.
    ///
    /// - Parameter time: how long the answer took; nil if there was none
    mutating func end(_ number: Int, of host: String, after time: Duration?, at now: Duration) -> [Int] {
        guard let usual = hosts[host]?.usual else { return [] }
        if let time { hosts[host]?.usual = usual + (time - usual) / 8 }
        hosts[host]?.counted.removeAll { $0.number == number }
        return begin(host, at: now)
    }

    /// Gives the polls that are to be begun because others take too long to count.
    mutating func wake(at now: Duration) -> [Int] { full.flatMap { begin($0, at: now) } }

    /// Forgets how long answers usually take at hosts that nothing is under way to.
    mutating func forgetIdle() { hosts = hosts.filter { !$0.value.isIdle } }

    private mutating func begin(_ host: String, at now: Duration) -> [Int] {
        let begun = hosts[host]?.begin(at: now) ?? []
        if hosts[host]?.waiting.isEmpty ?? true { full.remove(host) } else { full.insert(host) }
        return begun
    }
}
