import Catalog

/// One poll to be made: an item of a job, with what this poller's catalog holds of the endpoint.
struct PollItem: Sendable, Hashable {
    var endpoint: EndpointRecord
    var tick: Int64
    /// The held health with the held list in it; nil at the endpoint's first poll.
    var base: SnapshotRow?
}

extension PollItem {
    init(_ view: EndpointView, tick: Int64) {
        self.init(endpoint: view.record, tick: tick, base: view.snapshot.map(Self.base))
    }

    /// The base names no digest if the held list is not the one that the held health speaks of. The next row then brings
    /// the list in full.
    private static func base(_ snapshot: EndpointSnapshot) -> SnapshotRow {
        var row = snapshot.health
        row.digest = snapshot.isInStep ? snapshot.digest : nil
        row.models = snapshot.models
        row.modelsTick = snapshot.modelsTick
        return row
    }
}

/// A job's items, sorted by what this poller's catalog holds of their endpoints.
struct AdmittedJob: Sendable, Hashable {
    /// To be polled now.
    var polls: [PollItem] = []
    /// The catalog here is behind the scheduler's: it does not hold these generations yet.
    var unknown: [PollJob.Item] = []

    /// Leaves out what has been done. A job that comes back, or was dispatched twice, may be done in part.
    ///
    /// Leaves out what has been overtaken, too: the scheduler has dispatched the newer generation by itself.
    ///
    /// - Parameter held: what the catalog holds of an endpoint's id
    init(_ job: PollJob, held: (String) -> EndpointView?) {
        for item in job.items {
            guard let view = held(item.endpoint), view.record.generation >= item.generation else {
                unknown.append(item)
                continue
            }
            guard view.record.generation == item.generation, (view.snapshot?.health.tick ?? 0) < job.tick else {
                continue
            }
            polls.append(PollItem(view, tick: job.tick))
        }
    }
}
