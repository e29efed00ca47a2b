/// The name among `candidates` that was probably meant by `name`, nil where none is near.
///
/// Near means at most a third of its letters (and at least two) typed wrong, left out, or added.
func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    let allowed = max(2, name.count / 3)
    return
        candidates
        .map { (candidate: $0, distance: editDistance(name, $0)) }
        .filter { $0.distance <= allowed }
        .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }?
        .candidate
}

/// Levenshtein's distance: how many letters must be put in, taken out, or replaced.
private func editDistance(_ first: String, _ second: String) -> Int {
    let first = Array(first.utf8)
    let second = Array(second.utf8)
    var row = Array(0...second.count)
    for (index, byte) in first.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in second.indices {
            let replaced = diagonal + (byte == second[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = Swift.min(replaced, diagonal + 1, row[column] + 1)
        }
    }
    return row[second.count]
}
