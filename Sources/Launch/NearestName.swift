import Conventions

/// The name among `candidates` that was probably meant by `name`, nil where none is near.
///
/// Near means at most a third of its letters (and at least two) typed wrong, left out, or added.
func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    let allowed = max(2, name.count / 3)
    let bytes = Array(name.utf8)
    return
        candidates
        .compactMap { candidate in
            EditDistance.between(bytes, Array(candidate.utf8), atMost: allowed)
                .map { (candidate: candidate, distance: $0) }
        }
        .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }?
        .candidate
}
