import Catalog
import Synchronization

/// Who was asked for its GPU memory and when, and what that brought which the catalog does not show yet.
///
/// Asked after the poll has been reported, so that nobody waits for it: the answer goes with the next row. Between
/// two answers each row says again what the last one said, whichever poller made it.
final class MemorySurvey: Sendable {
    /// A server's memory changes with its hardware.
    static let interval = Duration.seconds(600)

    private struct Entry {
        var generation: Int64
        var askedAt: Duration
        /// nil: the catalog shows it, or there was no answer.
        var news: GPUMemory.Reading?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var sweptAt = Duration.zero
    }

    private let clock: PollerClock
    private let ask: @Sendable (EndpointRecord) async -> GPUMemory.Reading?
    private let state = Mutex(State())

    init(clock: PollerClock, ask: @escaping @Sendable (EndpointRecord) async -> GPUMemory.Reading?) {
        self.clock = clock
        self.ask = ask
    }

    /// Puts what was heard here and nobody else knows into a row that says what was known before.
    func amend(_ row: inout SnapshotRow) {
        let shown = row.gpuMemoryBytes
        let news = state.withLock { state -> GPUMemory.Reading? in
            guard let entry = state.entries[row.endpoint], entry.generation == row.generation else { return nil }
            // Said until it comes back as known: a row may be lost.
            if entry.news?.bytes == shown { state.entries[row.endpoint]?.news = nil }
            return entry.news
        }
        if let news { row.gpuMemoryBytes = news.bytes }
    }

    /// Asks an endpoint that has just answered a poll.
    func visit(_ endpoint: EndpointRecord) async {
        guard let reading = await ask(endpoint) else { return }
        state.withLock { state in
            guard state.entries[endpoint.id]?.generation == endpoint.generation else { return }
            state.entries[endpoint.id]?.news = reading
        }
    }

    /// Whether its kind can tell, and its time has come. Counts it as asked from now on.
    func isDue(_ endpoint: EndpointRecord, kind: EndpointKind?) -> Bool {
        guard kind == .openai else { return false }
        let now = clock.monotonic()
        return state.withLock { state in
            if let entry = state.entries[endpoint.id], entry.generation == endpoint.generation,
                now - entry.askedAt < Self.interval
            {
                return false
            }
            // What was not asked for so long is gone, or polled elsewhere.
            if now - state.sweptAt >= Self.interval {
                state.entries = state.entries.filter { now - $0.value.askedAt < Self.interval * 2 }
                state.sweptAt = now
            }
            let news = state.entries[endpoint.id].flatMap { $0.generation == endpoint.generation ? $0.news : nil }
            state.entries[endpoint.id] = Entry(generation: endpoint.generation, askedAt: now, news: news)
            return true
        }
    }
}
