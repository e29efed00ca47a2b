public import Logging
import Synchronization

/// Keeps a log readable while the same thing goes wrong again and again: one entry for each key in ten seconds. The next
/// entry says how many were left out before it.
///
/// A key is the code of a refusal, or an endpoint's name: a few hundred at most. Keys that strangers can choose share one
/// limit once `maximumKeys` are in use.
public final class LogLimits: Sendable {
    private struct Entry {
        var last: ContinuousClock.Instant?
        var leftOut = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Of the keys beyond `maximumKeys`.
        var others = Entry()
        var lastRemoval: ContinuousClock.Instant?
    }

    private let interval: Duration
    private let maximumKeys: Int
    private let state = Mutex(State())

    public init(interval: Duration = .seconds(10), maximumKeys: Int = 1000) {
        self.interval = interval
        self.maximumKeys = maximumKeys
    }

    /// Whether an entry may be made now. Gives metadata for it: how many were left out since the last one, if any were. nil
    /// for none now.
    public func admit(_ key: String, at now: ContinuousClock.Instant = .now) -> Logger.Metadata? {
        count(key, now).map { $0 > 0 ? ["left_out": "\($0)"] : [:] }
    }

    private func count(_ key: String, _ now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            if state.entries[key] == nil, state.entries.count >= maximumKeys { removeOld(&state, now) }
            guard state.entries[key] != nil || state.entries.count < maximumKeys else {
                return admit(&state.others, now)
            }
            return admit(&state.entries[key, default: Entry()], now)
        }
    }

    private func admit(_ entry: inout Entry, _ now: ContinuousClock.Instant) -> Int? {
        if let last = entry.last, last.duration(to: now) < interval {
            entry.leftOut += 1
            return nil
        }
        defer { entry = Entry(last: now) }
        return entry.leftOut
    }

    /// Forgets the keys whose next entry would be let through, at most once an interval: it looks at all of them. What they
    /// left out counts with the others.
    private func removeOld(_ state: inout State, _ now: ContinuousClock.Instant) {
        if let last = state.lastRemoval, last.duration(to: now) < interval { return }
        state.lastRemoval = now
        for (key, entry) in state.entries where entry.last.map({ $0.duration(to: now) >= interval }) ?? true {
            state.others.leftOut += entry.leftOut
            state.entries[key] = nil
        }
    }
}
