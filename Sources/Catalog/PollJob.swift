/// A batch of polls, from the scheduler to whichever poller takes it. AMQP property `type` is `poll.job`.
public struct PollJob: Sendable, Hashable, Codable {
    public struct Item: Sendable, Hashable, Codable {
        public var endpoint: EndpointRecord
        public var tick: Int64
        /// What is held of the endpoint; nil at its first poll.
        public var base: SnapshotRow?

        public init(endpoint: EndpointRecord, tick: Int64, base: SnapshotRow?) {
            self.endpoint = endpoint
            self.tick = tick
            self.base = base
        }
    }

    public var id: String
    /// More than one poller reported within the last minute: two of them must see an endpoint fail.
    public var severalPollers: Bool
    public var items: [Item]

    public init(id: String, severalPollers: Bool, items: [Item]) {
        self.id = id
        self.severalPollers = severalPollers
        self.items = items
    }
}
