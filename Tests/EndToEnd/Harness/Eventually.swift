import Testing

/// What another process will come to show can only be asked for, again and again: every 50 ms until it holds.
/// Records an issue, with what was seen last, where it does not within `limit`.
@discardableResult
func eventually<T: Sendable>(
    _ what: Comment, within limit: Duration = .seconds(15), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> T?
) async throws -> T {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    var last: (any Error)?
    while clock.now < deadline {
        do {
            if let value = try await condition() { return value }
            last = nil
        } catch {
            last = error
        }
        try await clock.sleep(for: .milliseconds(50))
    }
    let seen = last.map { ": \($0)" } ?? ""
    Issue.record("\(what.rawValue): not within \(limit)\(seen)", sourceLocation: sourceLocation)
    throw NotSeen(what: what.rawValue)
}

func eventually(
    _ what: Comment, within limit: Duration = .seconds(15), sourceLocation: SourceLocation = #_sourceLocation,
    holds condition: () async throws -> Bool
) async throws {
    try await eventually(what, within: limit, sourceLocation: sourceLocation) {
        try await condition() ? true : nil
    }
}

struct NotSeen: Error {
    let what: String
}
