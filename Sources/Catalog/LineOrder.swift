/// Lines of the merged list, sorted in one way.
struct LineOrder: Sendable {
    private(set) var lines: [Int] = []

    mutating func remove(_ gone: Set<Int>) { lines.removeAll { gone.contains($0) } }

    /// Puts lines that are not there yet in their places: in linear time, but for the sorting of the new ones.
    mutating func insert(_ new: [Int], by precedes: (Int, Int) -> Bool) {
        guard !new.isEmpty else { return }
        var next = new.sorted(by: precedes)[...]
        var merged: [Int] = []
        merged.reserveCapacity(lines.count + next.count)
        for line in lines {
            while let first = next.first, precedes(first, line) { merged.append(next.removeFirst()) }
            merged.append(line)
        }
        lines = merged + next
    }
}
