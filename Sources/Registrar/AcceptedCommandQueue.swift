/// Which accepted commands are waiting and which are in work: so many at once, and one at a time of one registration.
///
/// A pure value; `AcceptedCommandRunner` does the work.
struct AcceptedCommandQueue: Sendable {
    /// Commands in work at once; each waits for the Hub or for endpoints, most of the time.
    static let limit = 64

    struct Entry: Sendable, Hashable {
        var command: AcceptedCommand
        /// Of entries with the same key one is in work at a time.
        var key: String
    }

    private var waiting: [Entry] = []
    private var inWork: [String: Entry] = [:]
    private var busy: Set<String> = []
    /// Everything accepted up to this revision has been seen.
    private(set) var seenThrough: Int64 = 0

    private(set) var isActive = false

    /// Everything is read again: another registrar may have been at work.
    mutating func begin() {
        isActive = true
        waiting = []
        seenThrough = 0
    }

    /// From now on nothing is started.
    mutating func end() {
        isActive = false
        waiting = []
    }

    mutating func add(_ entries: [Entry]) {
        for entry in entries {
            seenThrough = max(seenThrough, entry.command.revision)
            if isActive, inWork[entry.command.id] == nil { waiting.append(entry) }
        }
    }

    /// Those that can be begun now, the oldest first.
    mutating func start() -> [Entry] {
        var started: [Entry] = []
        var rest: [Entry] = []
        for entry in waiting {
            if inWork.count < Self.limit, busy.insert(entry.key).inserted {
                inWork[entry.command.id] = entry
                started.append(entry)
            } else {
                rest.append(entry)
            }
        }
        waiting = rest
        return started
    }

    /// Takes those with the same key out of the queue, to share the outcome of the one in work.
    mutating func join(_ key: String) -> [AcceptedCommand] {
        let joined = waiting.filter { $0.key == key }.map(\.command)
        waiting.removeAll { $0.key == key }
        return joined
    }

    mutating func finish(_ entry: Entry) {
        inWork[entry.command.id] = nil
        busy.remove(entry.key)
    }
}
