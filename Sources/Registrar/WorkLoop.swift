import ServiceLifecycle

/// Looks for work each time it is woken, and has what it finds done side by side.
struct WorkLoop: Sendable {
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// There may be something to do.
    func wake() { signal.yield() }

    /// Runs until graceful shutdown, which cancels what is in work.
    ///
    /// - Throws: what `find` or `work` throws, but for a cancellation.
    func run<Item: Sendable>(
        find: @escaping @Sendable () async throws -> [Item], work: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await withThrowingDiscardingTaskGroup { group in
                    for await _ in signals {
                        for item in try await find() { group.addTask { try await work(item) } }
                    }
                }
            }
        } catch is CancellationError {}
    }
}
