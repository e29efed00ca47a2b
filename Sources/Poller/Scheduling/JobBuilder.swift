import Catalog

/// Cuts what is due into jobs.
enum JobBuilder {
    static let maximumItems = 50
    /// Bases carry an id and a time for each model; this keeps a job well under a megabyte.
    static let maximumModels = 5000

    static func item(_ view: EndpointView, tick: Int64) -> PollJob.Item {
        PollJob.Item(endpoint: view.record, tick: tick, base: view.snapshot.map(base))
    }

    /// What a worker must know of the held snapshot. Of the models only since when they are known; and no digest where
    /// the list held is not the one that was last spoken of, so that the next row brings it in full.
    private static func base(_ snapshot: EndpointSnapshot) -> SnapshotRow {
        var row = snapshot.health
        row.digest = snapshot.isInStep ? snapshot.digest : nil
        row.models = snapshot.models.map { ModelEntry(id: $0.id, firstSeen: $0.firstSeen) }
        return row
    }

    /// As many jobs as there are pollers, or more where these would be too large: the broker deals them out in turn, and
    /// one job for each tick would give one poller more than another where ticks differ in what is due.
    ///
    /// - Parameters:
    ///   - pollers: how many have reported lately; 0 is none that is known
    ///   - id: makes a unique id for each job
    static func jobs(_ items: [PollJob.Item], pollers: Int, id: () -> String) -> [PollJob] {
        let share = (items.count + max(1, pollers) - 1) / max(1, pollers)
        var jobs: [PollJob] = []
        var batch: [PollJob.Item] = []
        var models = 0
        func endBatch() {
            jobs.append(PollJob(id: id(), severalPollers: pollers > 1, items: batch))
            batch = []
            models = 0
        }
        for item in items {
            let count = item.base?.models?.count ?? 0
            if batch.count == min(share, maximumItems) || !batch.isEmpty && models + count > maximumModels {
                endBatch()
            }
            batch.append(item)
            models += count
        }
        if !batch.isEmpty { endBatch() }
        return jobs
    }
}
