/// An exchange, declared durable.
public struct Exchange: Sendable, Hashable {
    public enum Kind: String, Sendable { case direct, fanout, topic }
    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// A queue, declared durable; `arguments` carry its type and limits.
public struct Queue: Sendable, Hashable {
    public var name: String
    public var arguments: [String: FieldValue]

    public init(name: String, arguments: [String: FieldValue]) {
        self.name = name
        self.arguments = arguments
    }
}

public struct Binding: Sendable, Hashable {
    public var queue: String
    public var exchange: String
    public var routingKey: String

    public init(queue: String, exchange: String, routingKey: String) {
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
    }
}

/// What a connection has to find each time it is made, before anything else is done on it: it declares what is missing.
public struct Topology: Sendable, Hashable {
    public var exchanges: [Exchange]
    public var queues: [Queue]
    public var bindings: [Binding]
    /// What a person does where something is missing that the connection's user may not make, for logs and errors:
    /// `run …`.
    public var remedy: String?

    public init(
        exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = [], remedy: String? = nil
    ) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
        self.remedy = remedy
    }
}
