/// Which accepted commands are waiting and which are in work: so many at once, and one at a time of one registration.
///
/// A pure value; `AcceptedCommandRunner` does the work.
struct AcceptedCommandQueue: Sendable {
    /// Commands in work at once of those that wait for the Hub, and as many of those that wait for endpoints: slow
    /// endpoints hold up no registration.
    static let limit = 64

    struct Entry: Sendable, Hashable {
        var command: AcceptedCommand
        /// Of entries with the same key one is in work at a time.
        var key: String

        fileprivate var isOfFleet: Bool { if case .verify = command.work { true } else { false } }
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
        var fleet = inWork.values.count { $0.isOfFleet }
        var hub = inWork.count - fleet
        for entry in waiting {
            let isFull = entry.isOfFleet ? fleet >= Self.limit : hub >= Self.limit
            if !isFull, busy.insert(entry.key).inserted {
                inWork[entry.command.id] = entry
                if entry.isOfFleet { fleet += 1 } else { hub += 1 }
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
