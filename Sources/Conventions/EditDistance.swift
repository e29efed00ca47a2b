/// How many letters have to be changed, added, or left out to make one text of another (Levenshtein distance).
public enum EditDistance {
    /// nil above `limit`. Looks only at the `2 × limit + 1` places of each row that can be within it, and ends with the
    /// first row that has none.
    public static func between(_ left: [UInt8], _ right: [UInt8], atMost limit: Int) -> Int? {
        guard abs(left.count - right.count) <= limit else { return nil }
        let none = limit + 1
        var row = (0...right.count).map { min($0, none) }
        for (place, byte) in left.enumerated() {
            let low = max(1, place + 1 - limit)
            let high = min(right.count, place + 1 + limit)
            var diagonal = row[low - 1]
            row[low - 1] = low == 1 ? min(place + 1, none) : none
            var least = row[low - 1]
            for index in stride(from: low, through: high, by: 1) {
                let changed = diagonal + (right[index - 1] == byte ? 0 : 1)
                diagonal = row[index]
                row[index] = min(changed, min(row[index], row[index - 1]) + 1, none)
                least = min(least, row[index])
            }
            if least > limit { return nil }
        }
        return row[right.count] > limit ? nil : row[right.count]
    }

    /// The name among `candidates` that was probably meant by `name`; nil if none is near.
    ///
    /// Near means at most a third of its letters (and at least two) typed wrong, left out, or added, and not all of them.
    public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let bytes = Array(name.utf8)
        let allowed = min(max(2, bytes.count / 3), bytes.count - 1)
        guard allowed > 0 else { return nil }
        return candidates.compactMap { candidate in
            between(bytes, Array(candidate.utf8), atMost: allowed).map { (distance: $0, candidate: candidate) }
        }
        .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }?.candidate
    }
}
