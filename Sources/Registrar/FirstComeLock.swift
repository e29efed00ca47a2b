/// Lets one caller at a time do something that awaits, in the order in which they came.
actor FirstComeLock {
    private var isHeld = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func withLock<T: Sendable>(_ body: @Sendable () async throws -> T) async rethrows -> T {
        if isHeld {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isHeld = true
        }
        defer { release() }
        return try await body()
    }

    /// Hands the lock to the next one, so that nobody who comes now can be faster.
    private func release() {
        if waiting.isEmpty {
            isHeld = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}
