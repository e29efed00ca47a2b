import Catalog

/// Gathers rows into messages: changes for a few milliseconds, the rest for up to a second. Pure.
struct ReportBatcher: Sendable {
    struct Entry: Sendable, Hashable {
        var token: Int
        var row: SnapshotRow
    }

    static let changeDelay = Duration.milliseconds(5)
    static let unchangedDelay = Duration.seconds(1)
    static let maximumRows = 50
    /// Keeps a message of full lists near a megabyte; one endpoint alone may have more.
    static let maximumModels = 5000

    private var pending: [Entry] = []
    /// When the pending rows must go.
    private(set) var deadline: Duration?

    var isEmpty: Bool { pending.isEmpty }
    var count: Int { pending.count }

    mutating func add(_ entry: Entry, isChange: Bool, now: Duration) {
        pending.append(entry)
        let wanted = isChange ? now + Self.changeDelay : now + Self.unchangedDelay
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
