public import AMQP

/// Skeleton: to be completed by the Catalog implementation.
extension CatalogMessage {
    /// AMQP property `type`: `snapshot.batch`, `registry.changed`, `registry.checkpoint`, `operation.changed`,
    /// `poll.requested`, `endpoint.suspect`, `refresh`, `sync.mark`.
    public var type: String { fatalError() }
    /// As AMQP carries it, with a new unique message id and the header `schema`.
    public func encoded() throws -> Message { fatalError() }
    /// nil for a type that this version does not know. Throws `MalformedMessage` for a body that is not what its type says.
    public init?(_ message: Message) throws { fatalError() }
}

public struct MalformedMessage: Error, Sendable {
    public let type: String
    public let reason: String
}

extension Message {
    /// For commands, jobs, ticks: `payload` as JSON with a new unique id and the header `schema`.
    public init(type: String, payload: some Encodable, expiration: Duration? = nil) throws { fatalError() }
    /// Decodes the body; throws `MalformedMessage`.
    public func payload<T: Decodable>(_ type: T.Type) throws -> T { fatalError() }
}
