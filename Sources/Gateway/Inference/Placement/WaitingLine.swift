/// A line of entries in order of arrival. Pure: others decide which entry is served, and when.
///
/// Joining, serving the head, and leaving from anywhere cost O(log n) on average. An entry that leaves only empties its
/// cell; empty cells are cut off when they are more than half of all.
struct WaitingLine<Entry> {
    private struct Cell {
        let ticket: UInt64
        var entry: Entry?
    }

    /// Tickets rise along the line.
    private var cells: [Cell] = []
    /// All cells before this one are empty.
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var firstTicket: UInt64? { count == 0 ? nil : cells[head].ticket }

    /// Puts `entry` at the end. `ticket` is higher than all before.
    mutating func join(_ entry: Entry, ticket: UInt64) {
        cells.append(Cell(ticket: ticket, entry: entry))
        count += 1
    }

    /// Takes an entry out wherever it stands; nil if it is no longer in the line.
    mutating func leave(_ ticket: UInt64) -> Entry? {
        var low = head
        var high = cells.count
        while low < high {
            let middle = (low + high) / 2
            if cells[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        guard low < cells.count, cells[low].ticket == ticket else { return nil }
        return take(low)
    }

    enum Offer {
        /// The entry takes what is offered and leaves the line.
        case taken
        case declined
        /// Neither this entry nor a later one takes anything.
        case end
    }

    /// Offers something to the entries in order until one takes it; returns that one.
    mutating func offer(_ ask: (Entry) -> Offer) -> Entry? {
        for index in head..<cells.count {
            guard let entry = cells[index].entry else { continue }
            switch ask(entry) {
            case .taken: return take(index)
            case .declined: continue
            case .end: return nil
            }
        }
        return nil
    }

    private mutating func take(_ index: Int) -> Entry? {
        guard let entry = cells[index].entry.take() else { return nil }
        count -= 1
        while head < cells.count, cells[head].entry == nil { head += 1 }
        if cells.count > 16 && cells.count > 2 * count {
            cells.removeAll { $0.entry == nil }
            head = 0
        }
        return entry
    }
}
