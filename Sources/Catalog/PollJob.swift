/// A batch of polls, from the scheduler to whichever poller takes it. AMQP property `type` is `poll.job`.
///
/// A job only names endpoints. Every poller follows the catalog, so it has their records and snapshots already.
public struct PollJob: Sendable, Hashable, Codable {
    /// Coded as `[endpoint, generation]`.
    public struct Item: Sendable, Hashable, Codable {
        /// The endpoint's id.
        public var endpoint: String
        /// Of the record that the scheduler has seen. A poll of an older record would not count.
        public var generation: Int64

        public init(endpoint: String, generation: Int64) {
            self.endpoint = endpoint
            self.generation = generation
        }

        public init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            endpoint = try pair.decode(String.self)
            generation = try pair.decode(Int64.self)
        }

        public func encode(to encoder: any Encoder) throws {
            var pair = encoder.unkeyedContainer()
            try pair.encode(endpoint)
            try pair.encode(generation)
        }
    }

    /// Of all polls in the job.
    public var tick: Int64
    /// More than one poller reported within the last minute: two of them must see an endpoint fail.
    public var severalPollers: Bool
    /// How often a poller has given these items back.
    public var returns: Int
    public var items: [Item]

    /// A job that was given back more often is dropped. The scheduler dispatches its polls again.
    public static let maximumReturns = 3

    public init(tick: Int64, severalPollers: Bool, returns: Int = 0, items: [Item]) {
        self.tick = tick
        self.severalPollers = severalPollers
        self.returns = returns
        self.items = items
    }

    /// The same polls of some of the endpoints, once more for any poller. nil if they were given back too often, or if
    /// there are none.
    public func returning(_ items: [Item]) -> PollJob? {
        guard !items.isEmpty, returns < Self.maximumReturns else { return nil }
        return PollJob(tick: tick, severalPollers: severalPollers, returns: returns + 1, items: items)
    }

    enum CodingKeys: String, CodingKey {
        case tick, returns, items
        case severalPollers = "several_pollers"
    }
}
