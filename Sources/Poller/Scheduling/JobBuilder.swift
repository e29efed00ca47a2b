import Catalog

/// Cuts what is due into jobs.
enum JobBuilder {
    static let maximumItems = 50

    /// An endpoint whose poll is due.
    struct Due: Sendable, Hashable {
        var item: PollJob.Item
        var isOffline: Bool

        init(_ view: EndpointView) {
            item = PollJob.Item(endpoint: view.record.id, generation: view.record.generation)
            isOffline = view.state == .offline
        }
    }

    /// As many jobs as there are pollers, or more where these would be too large: the broker deals them out in turn, and
    /// one job for each tick would give one poller more than another where ticks differ in what is due.
    ///
    /// Endpoints that are offline already travel in jobs of their own, since their polls may last until the timeout: a job
    /// that waits for credit then holds up no poll of an endpoint that answers.
    ///
    /// - Parameter pollers: how many have reported lately; 0 is none that is known
    static func jobs(_ due: [Due], tick: Int64, pollers: Int) -> [PollJob] {
        [due.filter { !$0.isOffline }, due.filter(\.isOffline)].flatMap { part in
            let share = (part.count + max(1, pollers) - 1) / max(1, pollers)
            let size = max(1, min(share, maximumItems))
            return stride(from: 0, to: part.count, by: size).map { start in
                PollJob(
                    tick: tick, severalPollers: pollers > 1,
                    items: part[start..<min(start + size, part.count)].map(\.item))
            }
        }
    }
}
