import Synchronization

/// How far a gateway has come with its stop: moved on by the server, heeded by the routes.
final class Drain: Sendable {
    private let stopping = Atomic(false)

    /// Not ready any more. Requests are still answered, and each answer asks its client to go elsewhere with the next.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func begin() { stopping.store(true, ordering: .relaxed) }
}

/// The steps of a stop, in time.
struct DrainSequence: Sendable {
    /// How long load balancers have to see that `/readyz` is 503. They ask each second or two, and two bad answers take
    /// a gateway out.
    static let announcement = Duration.seconds(5)
    /// How long clients have to read the error that ends a request which was cut off.
    static let farewell = Duration.seconds(2)

    /// For all steps but the last.
    var limit: Duration
    /// Whether load balancers are to be told. Not if a person waits at a terminal.
    var announces: Bool
    /// Ends early, with an error, once nothing is in flight.
    var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }

    /// - Parameters:
    ///   - close: stops listening, and closes each connection as soon as nothing is in flight on it
    ///   - cut: ends what is still in flight
    ///   - abandon: closes what is left
    func run(close: () async -> Void, cut: () async -> Void, abandon: () async -> Void) async throws {
        let announced = announces ? min(Self.announcement, limit) : .zero
        if announced > .zero { try await sleep(announced) }
        await close()
        if limit > announced { try await sleep(limit - announced) }
        await cut()
        try await sleep(Self.farewell)
        await abandon()
    }
}
