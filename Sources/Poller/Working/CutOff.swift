/// Tells "these endpoints fail" from "this poller is cut off from the endpoints". Pure.
///
/// A failure is held back for a moment. A success in that time proves the network and lets it through. Where none
/// comes and endpoints on two hosts or more have failed since the last success, the poller takes itself for cut off:
/// it keeps the failures to itself, for the others to find out.
struct CutOff: Sendable {
    /// Time for other polls to succeed. It delays the news of a failure only where nothing succeeds meanwhile.
    static let judgement = Duration.milliseconds(250)

    /// Failures that are further apart than this tell nothing of the network together.
    static let memory = Duration.seconds(10)

    struct Verdict: Sendable, Hashable {
        /// Failures to be published.
        var released: [Int] = []
        /// Failures to be kept.
        var withheld: [Int] = []
    }

    private struct Held: Sendable {
        var token: Int
        var since: Duration
    }

    private(set) var isCutOff = false
    private var held: [Held] = []
    /// Hosts that failed since the last success, and when they last did.
    private var hosts: [String: Duration] = [:]

    /// When `judge` has something to say.
    var deadline: Duration? { held.first.map { $0.since + Self.judgement } }

    /// Some poll or probe succeeded.
    mutating func succeeded() -> Verdict {
        isCutOff = false
        return releaseAll()
    }

    /// No other poller is there to find out: this one's word stands.
    mutating func standAlone() -> Verdict {
        isCutOff = false
        return releaseAll()
    }

    /// A poll failed.
    ///
    /// - Parameter counts: false where the failure says nothing of the network: the endpoint was offline already, or
    ///   there is no other poller to leave the judgement to.
    mutating func failed(_ token: Int, host: String, counts: Bool, now: Duration) -> Verdict {
        guard counts else { return Verdict(released: [token]) }
        if isCutOff { return Verdict(withheld: [token]) }
        hosts[host] = now
        held.append(Held(token: token, since: now))
        return Verdict()
    }

    mutating func judge(now: Duration) -> Verdict {
        guard let deadline, deadline <= now else { return Verdict() }
        hosts = hosts.filter { now - $0.value <= Self.memory }
        if hosts.count >= 2 {
            isCutOff = true
            defer { held = [] }
            return Verdict(withheld: held.map(\.token))
        }
        let count = held.prefix { $0.since + Self.judgement <= now }.count
        defer { held.removeFirst(count) }
        return Verdict(released: held.prefix(count).map(\.token))
    }

    private mutating func releaseAll() -> Verdict {
        defer { (held, hosts) = ([], [:]) }
        return Verdict(released: held.map(\.token))
    }
}
