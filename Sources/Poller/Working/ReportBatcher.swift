import Catalog

/// Gathers rows into messages: changes for a few milliseconds, the rest for up to a second. Pure.
struct ReportBatcher: Sendable {
    struct Entry: Sendable, Hashable {
        var token: Int
        var row: SnapshotRow
    }

    static let changeDelay = Duration.milliseconds(5)
    /// At most. A row of an endpoint with a short interval waits for a quarter of that: the scheduler counts a poll as under
    /// way until it sees the row, and would pass over the next one.
    static let unchangedDelay = Duration.seconds(1)
    static let maximumRows = 50
    /// Keeps a message of full lists near a megabyte; one endpoint alone may have more.
    static let maximumModels = 5000

    private var pending: [Entry] = []
    /// When the pending rows must go.
    private(set) var deadline: Duration?

    var count: Int { pending.count }

    /// - Parameter interval: between two polls of the endpoint
    mutating func add(_ entry: Entry, isChange: Bool, interval: Duration = .seconds(10), now: Duration) {
        pending.append(entry)
        let wanted = now + (isChange ? Self.changeDelay : min(Self.unchangedDelay, interval / 4))
        deadline = pending.count >= Self.maximumRows ? now : min(deadline ?? wanted, wanted)
    }

    /// Nothing before the deadline; then all, unchanged rows along with the changes.
    mutating func take(now: Duration) -> [[Entry]] {
        guard let deadline, deadline <= now else { return [] }
        return takeAll()
    }

    mutating func takeAll() -> [[Entry]] {
        defer { (pending, deadline) = ([], nil) }
        var messages: [[Entry]] = []
        var message: [Entry] = []
        var models = 0
        for entry in pending {
            let count = entry.row.models?.count ?? 0
            if message.count == Self.maximumRows || !message.isEmpty && models + count > Self.maximumModels {
                messages.append(message)
                (message, models) = ([], 0)
            }
            message.append(entry)
            models += count
        }
        if !message.isEmpty { messages.append(message) }
        return messages
    }
}
