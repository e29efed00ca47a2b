/// What holds the record of one id, or its tombstone.
protocol RecordSlot {
    associatedtype Record: Encodable & Equatable
    /// Of the record or the tombstone held; 0 where neither is.
    var revision: Int64 { get }
    /// nil: unknown (revision 0) or removed (its tombstone is held).
    var record: Record? { get }
}

extension RecordSlot {
    /// Whether `new` of `revision` (nil: a tombstone) is to be kept rather than what is held: the highest revision
    /// counts; of one revision a tombstone before a record, and of two records the one with the greater bytes.
    func isSuperseded(by new: Record?, revision: Int64) -> Bool {
        if revision != self.revision { return revision > self.revision }
        guard let new else { return record != nil }
        guard let record else { return false }
        return record != new && CanonicalBytes.precedes(record, new)
    }
}
