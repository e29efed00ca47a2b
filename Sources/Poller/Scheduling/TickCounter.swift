/// Gives out ticks: versions, not times. They rise whatever the clocks do, and take their size from the wall clock only
/// so that schedulers that follow one another do not use the same.
struct TickCounter: Sendable {
    private var last: Int64 = 0

    /// - Parameter highest: the highest tick in the catalog.
    mutating func next(highest: Int64, wallMilliseconds: Int64) -> Int64 {
        last = max(last + 1, highest + 1, wallMilliseconds)
        return last
    }
}
