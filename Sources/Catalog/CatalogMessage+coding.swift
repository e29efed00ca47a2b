public import AMQP
import FoundationEssentials
import JSON

/// A message whose body is not what its type says.
public struct MalformedMessage: Error, Sendable, CustomStringConvertible {
    /// AMQP property `type`.
    public let type: String
    /// What is wrong and where in the body; never the body itself, which may hold anything.
    public let reason: String

    public init(type: String, reason: String) {
        self.type = type
        self.reason = reason
    }

    public var description: String { "malformed message of type \(type): \(reason)" }
}

extension CatalogMessage {
    /// AMQP property `type`: `snapshot.batch`, `registry.changed`, `registry.checkpoint`, `operation.changed`,
    /// `poll.requested`, `endpoint.suspect`, `endpoint.alive`, `poller.cut_off`, `verify.result`, `hub.changed`,
    /// `registrar.clock`, `refresh`, `sync.mark`, `catalog.requested`.
    public var type: String {
        switch self {
        case .snapshotBatch: "snapshot.batch"
        case .registryChanged: "registry.changed"
        case .registryCheckpoint: "registry.checkpoint"
        case .operationChanged: "operation.changed"
        case .pollRequested: "poll.requested"
        case .endpointSuspect: "endpoint.suspect"
        case .endpointAlive: "endpoint.alive"
        case .pollerCutOff: "poller.cut_off"
        case .verifyResult: "verify.result"
        case .hubChanged: "hub.changed"
        case .registrarClock: "registrar.clock"
        case .refresh: "refresh"
        case .syncMark: "sync.mark"
        case .catalogRequested: "catalog.requested"
        }
    }

    /// As AMQP carries it, with a new unique message id and the header `schema`.
    public func encoded() throws -> Message {
        switch self {
        case .snapshotBatch(let payload): try Message(type: type, payload: payload)
        case .registryChanged(let payload): try Message(type: type, payload: payload)
        case .registryCheckpoint(let payload): try Message(type: type, payload: payload)
        case .operationChanged(let payload): try Message(type: type, payload: payload)
        case .pollRequested(let payload): try Message(type: type, payload: payload)
        case .endpointSuspect(let payload): try Message(type: type, payload: payload)
        case .endpointAlive(let payload): try Message(type: type, payload: payload)
        case .pollerCutOff(let payload): try Message(type: type, payload: payload)
        case .verifyResult(let payload): try Message(type: type, payload: payload)
        case .hubChanged(let payload): try Message(type: type, payload: payload)
        case .registrarClock(let payload): try Message(type: type, payload: payload)
        case .refresh(let payload): try Message(type: type, payload: payload)
        case .syncMark(let payload): try Message(type: type, payload: payload)
        case .catalogRequested(let payload): try Message(type: type, payload: payload)
        }
    }

    /// As `encoded()`, for whoever does nothing but publish it.
    public func encoded(trace: TraceContext?) throws(AMQPError) -> Message {
        do {
            var message = try encoded()
            message.trace = trace
            return message
        } catch {
            throw AMQPError(.invalidMessage, "a \(type) message cannot be encoded")
        }
    }

    /// nil for a type or a schema that this version does not know.
    ///
    /// Throws `MalformedMessage` for a body that is not what its type says, or that holds values no sender means.
    public init?(_ message: Message) throws {
        guard message.headers["schema"] ?? .integer(BrokerMap.schema) == .integer(BrokerMap.schema) else { return nil }
        switch message.type {
        case "snapshot.batch": self = .snapshotBatch(try message.payload(SnapshotBatch.self))
        case "registry.changed": self = .registryChanged(try message.payload(RegistryChange.self))
        case "registry.checkpoint": self = .registryCheckpoint(try message.payload(CheckpointPart.self))
        case "operation.changed": self = .operationChanged(try message.payload(Operation.self))
        case "poll.requested": self = .pollRequested(try message.payload(PollRequest.self))
        case "endpoint.suspect": self = .endpointSuspect(try message.payload(PollRequest.self))
        case "endpoint.alive": self = .endpointAlive(try message.payload(EndpointSighting.self))
        case "poller.cut_off": self = .pollerCutOff(try message.payload(PollerCutOff.self))
        case "verify.result": self = .verifyResult(try message.payload(VerifyResult.self))
        case "hub.changed": self = .hubChanged(try message.payload(HubChange.self))
        case "registrar.clock": self = .registrarClock(try message.payload(RegistrarClock.self))
        case "refresh": self = .refresh(try message.payload(Refresh.self))
        case "sync.mark": self = .syncMark(try message.payload(SyncMark.self))
        case "catalog.requested": self = .catalogRequested(try message.payload(CatalogRequest.self))
        default: return nil
        }
        if let reason = implausibility { throw MalformedMessage(type: message.type, reason: reason) }
    }
}

extension Message {
    /// `payload` as JSON, with a new unique message id, the header `schema`, and the current trace: for everything that
    /// Rollcall sends.
    public init(type: String, payload: some Encodable, expiration: Duration? = nil) throws {
        self.init(
            body: try JSONCoding.encode(payload), type: type, messageID: UUID().uuidString.lowercased(),
            headers: ["schema": .integer(BrokerMap.schema)], expiration: expiration)
        trace = .current
    }

    /// The body, decoded from JSON. Throws `MalformedMessage` where it is not a `T`.
    public func payload<T: Decodable>(_ type: T.Type) throws -> T {
        do {
            return try JSONCoding.decode(type, from: body)
        } catch let error as DecodingError {
            throw MalformedMessage(type: self.type, reason: error.placeOnly)
        }
    }
}

extension DecodingError {
    /// What is wrong and where, without the text that was found there.
    var placeOnly: String {
        switch self {
        case .keyNotFound(let key, let context): "missing \(Self.place(context.codingPath + [key]))"
        case .valueNotFound(_, let context): "null at \(Self.place(context.codingPath))"
        case .typeMismatch(_, let context): "wrong type at \(Self.place(context.codingPath))"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "not JSON" : "unknown value at \(Self.place(context.codingPath))"
        @unknown default: "not as expected"
        }
    }

    /// `rows[3].endpoint`; names are cut short because those of dictionaries come from the body.
    private static func place(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue.prefix(40)
            }
        }
    }
}
