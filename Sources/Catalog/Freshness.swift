/// When a catalog was last known to be current, on the monotonic clock.
struct Freshness: Sendable {
    private(set) var knownCurrent: ContinuousClock.Instant?

    func age(_ now: ContinuousClock.Instant) -> Duration? {
        knownCurrent.map { max(.zero, $0.duration(to: now)) }
    }

    /// `wallClock`: milliseconds since 1970.
    ///
    /// What is read live is current now. What is replayed was current when it was made, by its sender's clock, which is
    /// believed only where that makes it older than now and newer than what is known. A refresh tells nothing new.
    mutating func note(
        _ message: CatalogMessage?, isLive: Bool, now: ContinuousClock.Instant, wallClock: Int64
    ) {
        let madeAt: Int64
        switch message {
        case .snapshotBatch(let batch):
            guard let newest = batch.rows.map(\.observedAt).max() else { return }
            madeAt = newest
        case .registryCheckpoint(let part): madeAt = part.madeAt
        default: return
        }
        if isLive {
            knownCurrent = now
            return
        }
        note(madeAt: madeAt, now: now, wallClock: wallClock)
    }

    /// What is known was current at `madeAt`, milliseconds since 1970.
    mutating func note(madeAt: Int64, now: ContinuousClock.Instant, wallClock: Int64) {
        guard madeAt <= wallClock else { return }
        let moment = now - .milliseconds(wallClock - madeAt)
        knownCurrent = max(knownCurrent ?? moment, moment)
    }
}
