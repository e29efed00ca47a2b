/// Runs what blocks on a thread of its own, so that the tasks' threads stay free.
public func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        spawnThread { continuation.resume(returning: body()) }
    }
}
