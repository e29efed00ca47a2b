/// Who waits for a place, in the order in which they came. Pure: who is served, and when, is for others to say.
struct WaitingLine<Entry> {
    struct Waiter {
        let ticket: UInt64
        var entry: Entry
    }

    let limit: Int
    private(set) var waiters: [Waiter] = []
    private var lastTicket: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { waiters.isEmpty }

    /// Puts `entry` at the end; nil where the line is full.
    mutating func join(_ entry: Entry) -> UInt64? {
        guard waiters.count < limit else { return nil }
        lastTicket += 1
        waiters.append(Waiter(ticket: lastTicket, entry: entry))
        return lastTicket
    }

    /// Takes one out wherever it stands; nil where it is no longer in the line.
    mutating func leave(_ ticket: UInt64) -> Entry? {
        guard let index = index(of: ticket) else { return nil }
        return waiters.remove(at: index).entry
    }

    /// Changes the entry of one that is still in the line.
    mutating func update(_ ticket: UInt64, _ change: (inout Entry) -> Void) {
        if let index = index(of: ticket) { change(&waiters[index].entry) }
    }

    /// Offers what there is to each in order; those for whom `serve` is true leave the line. It stops where `serve` is nil.
    mutating func offer(_ serve: (Entry) -> Bool?) {
        var served: Set<UInt64> = []
        for waiter in waiters {
            guard let isServed = serve(waiter.entry) else { break }
            if isServed { served.insert(waiter.ticket) }
        }
        if !served.isEmpty { waiters.removeAll { served.contains($0.ticket) } }
    }

    /// Tickets rise along the line.
    private func index(of ticket: UInt64) -> Int? {
        var low = 0
        var high = waiters.count
        while low < high {
            let middle = (low + high) / 2
            if waiters[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        return low < waiters.count && waiters[low].ticket == ticket ? low : nil
    }
}
