import Catalog

/// When each endpoint is to be polled. Pure: it is told what happened and when, by the monotonic clock.
///
/// Every poller keeps one, also while another is the scheduler: it hears the same results, so whoever takes over goes
/// on where the other stopped. What a new process cannot know, the time of the last polls, it replaces by the
/// endpoints' phases.
struct Schedule: Sendable {
    struct Settings: Sendable, Hashable {
        /// Of endpoints whose record names none.
        var interval = Duration.seconds(10)
        /// After this a dispatched poll that was not reported is lost: the poll timeout and a margin for queues.
        var lostAfter = Duration.seconds(8)
        var confirmAfter = Duration.seconds(1)
        /// Offline endpoints are asked no less often than this, or than their own interval where that is longer.
        var longestBackoff = Duration.seconds(60)
        /// However many ask for it, an endpoint is not polled more often.
        var shortestGap = Duration.seconds(1)
    }

    private struct Entry: Sendable {
        var generation: Int64
        var interval: Duration
        var due: Duration
        /// The endpoint's grid: polls are due at this time and whole intervals before and after it.
        var anchor: Duration
        /// Polled only because it is new: its phase comes after that.
        var isUnphased: Bool
        var dispatch: (tick: Int64, at: Duration)?
        var isOutstanding = false
        /// When the last row came in that was not an answer to a dispatch of ours.
        var heard: Duration?
    }

    /// Ticks come each second, some milliseconds early or late. A poll that is due so soon is made now, since the next tick
    /// would be a second late.
    private static let early = Duration.milliseconds(50)

    let settings: Settings
    private var entries: [String: Entry] = [:]

    init(settings: Settings) { self.settings = settings }

    var count: Int { entries.count }

    /// A record was created or changed, or is found at the start.
    mutating func update(_ view: EndpointView, now: Duration) {
        let interval = view.record.pollIntervalSeconds.map { Duration.seconds($0) } ?? settings.interval
        guard var entry = entries[view.record.id], entry.generation == view.record.generation else {
            let isFresh = view.snapshot == nil || view.state == .degraded || entries[view.record.id] != nil
            let due = isFresh ? now : now + interval * StablePhase.of(view.record.id)
            entries[view.record.id] = Entry(
                generation: view.record.generation, interval: interval, due: due, anchor: due,
                isUnphased: isFresh)
            return
        }
        if entry.interval != interval {
            entry.interval = interval
            entry.due = min(entry.due, now + interval)
            entry.anchor = entry.due
            entries[view.record.id] = entry
        }
    }

    mutating func remove(_ id: String) { entries[id] = nil }

    /// Drops what is not in `ids`.
    mutating func keep(only ids: Set<String>) { entries = entries.filter { ids.contains($0.key) } }

    /// A row has been applied. Returns whether it is news: an answer to a dispatch of ours, or one of another
    /// scheduler's that comes about when it must.
    ///
    /// What is read at the start, or after a pause of the broker, comes in one burst and tells nothing of the time of
    /// the polls: taken for news, it would have all endpoints polled at one moment ever after.
    @discardableResult
    mutating func observe(_ row: SnapshotRow, now: Duration) -> Bool {
        guard var entry = entries[row.endpoint], entry.generation == row.generation else { return false }
        defer { entries[row.endpoint] = entry }
        if entry.isOutstanding {
            // Of an earlier dispatch: the later one is still to come.
            guard let dispatch = entry.dispatch, row.tick >= dispatch.tick else { return false }
            entry.isOutstanding = false
        } else {
            let heard = entry.heard
            entry.heard = now
            guard let heard, now - heard >= entry.interval / 2 else { return false }
            entry.due = now + entry.interval
            // A poll that confirms a failure, or one of an endpoint that is away, keeps to no grid.
            if row.state == .online { entry.anchor = entry.due }
        }
        switch row.state {
        case .degraded: entry.due = now + settings.confirmAfter
        case .offline: entry.due = now + backoff(entry, failures: row.failures)
        default: break
        }
        return true
    }

    /// Somebody wants to know now: an operator, or a gateway that failed to reach it.
    mutating func request(_ id: String, now: Duration) {
        guard var entry = entries[id] else { return }
        let earliest = entry.dispatch.map { $0.at + settings.shortestGap } ?? now
        entry.due = min(entry.due, max(now, earliest))
        entries[id] = entry
    }

    /// Those to be polled now, which count as dispatched with `tick`, in the order of their ids.
    mutating func takeDue(now: Duration, tick: Int64) -> [String] {
        var due: [String] = []
        for (id, entry) in entries where isDue(entry, now) {
            due.append(id)
            entries[id] = dispatched(entry, id, now, tick)
        }
        return due.sorted()
    }

    /// They could not be handed to the broker after all.
    mutating func dispatchFailed(_ ids: some Sequence<String>, now: Duration) {
        for id in ids {
            entries[id]?.isOutstanding = false
            entries[id]?.due = now
        }
    }

    private func isDue(_ entry: Entry, _ now: Duration) -> Bool {
        if entry.isOutstanding, let dispatch = entry.dispatch { return now - dispatch.at >= settings.lostAfter }
        return entry.due <= now + Self.early
    }

    private func dispatched(_ entry: Entry, _ id: String, _ now: Duration, _ tick: Int64) -> Entry {
        var entry = entry
        entry.dispatch = (tick, now)
        entry.isOutstanding = true
        if entry.isUnphased {
            // Many may have been new at once. A fifth of the interval to either side takes them apart.
            entry.due = now + entry.interval * (0.8 + 0.4 * StablePhase.of(id))
            entry.anchor = entry.due
            entry.isUnphased = false
        } else {
            // Those that failed, were asked for, or fell behind together go back to their places, and so apart.
            let place = (entry.due - entry.anchor) / entry.interval
            let isInPlace = abs(place - place.rounded()) < 0.001
            // From elsewhere the next place may be just ahead: half an interval after a poll is too soon.
            let earliest = isInPlace ? now : now + entry.interval / 2
            let steps = ((earliest - entry.anchor) / entry.interval).rounded(.down) + 1
            entry.due = entry.anchor + entry.interval * max(steps, isInPlace ? place.rounded() + 1 : steps)
        }
        return entry
    }

    private func backoff(_ entry: Entry, failures: Int) -> Duration {
        let doublings = min(max(failures - 2, 0), 16)
        return max(entry.interval, min(settings.longestBackoff, entry.interval * (1 << doublings)))
    }
}

/// A place in the interval for each endpoint, the same in every process: Swift's own hashes differ from run to run.
enum StablePhase {
    /// 0 ..< 1. FNV-1a, then the finalizer of MurmurHash3 so that similar ids spread.
    static func of(_ id: String) -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
        hash ^= hash >> 33
        return Double(hash >> 11) / Double(1 << 53)
    }
}
