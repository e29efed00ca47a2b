import Synchronization

/// How far a gateway has come with its stop: moved on by the server, heeded by the routes.
final class Drain: Sendable {
    private struct Weak { weak var session: InferenceSession? }

    private struct State {
        var isOver = false
        var sessions: [UInt64: Weak] = [:]
        var nextID: UInt64 = 0
    }

    private let stopping = Atomic(false)
    private let state = Mutex(State())

    /// Not ready any more. Requests are still answered, and each answer asks its client to go elsewhere with the next.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// What was in flight has been told to end.
    var isOver: Bool { state.withLock(\.isOver) }

    func begin() { stopping.store(true, ordering: .relaxed) }

    /// A request in flight; one that comes when all is over has ended already.
    func session() -> InferenceSession {
        let (session, isOver) = state.withLock { state in
            state.nextID += 1
            let session = InferenceSession { [weak self, id = state.nextID] in self?.forget(id) }
            state.sessions[state.nextID] = Weak(session: session)
            return (session, state.isOver)
        }
        if isOver { session.cancel(.stopping) }
        return session
    }

    /// Ends what is in flight, as an error. Returns how many requests that were.
    @discardableResult
    func end() -> Int {
        let sessions = state.withLock { state in
            state.isOver = true
            return state.sessions.values.compactMap(\.session)
        }
        for session in sessions { session.cancel(.stopping) }
        return sessions.count
    }

    private func forget(_ id: UInt64) { state.withLock { _ = $0.sessions.removeValue(forKey: id) } }
}

/// The steps of a stop, in time.
struct DrainSequence: Sendable {
    /// How long load balancers have to see that `/readyz` is 503. They ask each second or two, and two bad answers take
    /// a gateway out.
    static let announcement = Duration.seconds(5)
    /// For the last words to those whose requests are cut off.
    static let farewell = Duration.seconds(2)

    /// For all steps but the last.
    var limit: Duration
    /// Whether anybody is to be told. Not where a person waits at a terminal.
    var announces: Bool
    /// Ends early, with an error, once nothing is in flight.
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// - Parameters:
    ///   - close: stops listening, and closes each connection as soon as nothing is in flight on it
    ///   - cut: ends what is still in flight
    ///   - abandon: closes what is left
    func run(close: () async -> Void, cut: () -> Void, abandon: () -> Void) async throws {
        let announced = announces ? min(Self.announcement, limit) : .zero
        if announced > .zero { try await sleep(announced) }
        await close()
        if limit > announced { try await sleep(limit - announced) }
        cut()
        try await sleep(Self.farewell)
        abandon()
    }
}
