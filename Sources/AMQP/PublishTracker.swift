import DequeModule
import HeapModule

/// Which published messages the broker still owes an answer for.
///
/// Confirms count per channel from 1, may cover all up to a number (`multiple`), and come after the return of an
/// unroutable message (https://www.rabbitmq.com/confirms.html).
struct PublishTracker<Receipt> {
    private struct Entry {
        /// nil once an answer has been given; the broker's own may still come.
        var receipt: Receipt?
        let messageID: String
    }

    private struct Deadline: Comparable {
        let instant: ContinuousClock.Instant
        let sequence: UInt64
        static func < (one: Deadline, other: Deadline) -> Bool { one.instant < other.instant }
    }

    /// From `firstSequence` on; nil where the broker has answered.
    private var entries: Deque<Entry?> = []
    private var firstSequence: UInt64 = 1
    /// Returns come in the order of publishing, so the search for the next one begins after the last.
    private var returnSearchStart: UInt64 = 1
    private var deadlines = Heap<Deadline>()
    /// How many receipts are still to be answered.
    private(set) var outstanding = 0

    /// To be called just before the message is written. Returns its sequence number.
    @discardableResult
    mutating func published(_ receipt: Receipt, messageID: String, deadline: ContinuousClock.Instant) -> UInt64 {
        let sequence = firstSequence + UInt64(entries.count)
        entries.append(Entry(receipt: receipt, messageID: messageID))
        deadlines.insert(Deadline(instant: deadline, sequence: sequence))
        outstanding += 1
        return sequence
    }

    /// The receipts that an ack or nack answers. A number that is not awaited answers none.
    mutating func answered(tag: UInt64, multiple: Bool) -> [Receipt] {
        let end = firstSequence + UInt64(entries.count)
        // With `multiple`, 0 stands for all.
        let last = multiple && tag == 0 ? end - 1 : tag
        guard last >= firstSequence, last < end else { return [] }
        var receipts: [Receipt] = []
        for sequence in (multiple ? firstSequence : last)...last {
            let index = Int(sequence - firstSequence)
            if let receipt = entries[index]?.receipt { receipts.append(receipt) }
            entries[index] = nil
        }
        while let first = entries.first, first == nil {
            entries.removeFirst()
            firstSequence += 1
        }
        outstanding -= receipts.count
        return receipts
    }

    /// The receipt of the message that the broker gave back; nil where its time was already over.
    mutating func returned(messageID: String) -> Receipt? {
        let start = max(returnSearchStart, firstSequence)
        let end = firstSequence + UInt64(entries.count)
        guard start < end else { return nil }
        for sequence in start..<end {
            let index = Int(sequence - firstSequence)
            guard let entry = entries[index], entry.messageID == messageID else { continue }
            returnSearchStart = sequence + 1
            return takeReceipt(at: index)
        }
        return nil
    }

    /// The receipts whose time is over.
    mutating func expired(at now: ContinuousClock.Instant) -> [Receipt] {
        var receipts: [Receipt] = []
        while let deadline = deadlines.min, deadline.instant <= now {
            deadlines.removeMin()
            guard deadline.sequence >= firstSequence else { continue }
            if let receipt = takeReceipt(at: Int(deadline.sequence - firstSequence)) { receipts.append(receipt) }
        }
        return receipts
    }

    /// When `expired` has something to do next, at the earliest.
    var nextDeadline: ContinuousClock.Instant? { outstanding > 0 ? deadlines.min?.instant : nil }

    /// All receipts that are still to be answered. Numbers go on, since the broker may still answer.
    mutating func takeAll() -> [Receipt] {
        entries.indices.compactMap { takeReceipt(at: $0) }
    }

    private mutating func takeReceipt(at index: Int) -> Receipt? {
        guard let receipt = entries[index]?.receipt else { return nil }
        entries[index]?.receipt = nil
        outstanding -= 1
        return receipt
    }
}
