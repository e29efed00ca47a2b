import AMQP
import Catalog
import JSON

/// A delivery of the commands queue, as far as it can be understood.
enum DeliveryReading: Sendable, Hashable {
    case housekeeping
    case command(Command)
    /// Nobody will ever be able to execute it. Where its id can be read, whoever waits for it is told.
    case poison(reason: String, Identity?)

    struct Identity: Sendable, Hashable {
        var id: String
        var fingerprint: String
        var trace: TraceContext?
    }

    init(_ message: Message) {
        switch message.type {
        case BrokerMap.MessageType.housekeeping:
            self = .housekeeping
        case BrokerMap.MessageType.command:
            do {
                var command = try message.payload(Command.self)
                command.trace = message.trace
                self = .command(command)
            } catch {
                self = .poison(reason: "\(error)", Self.identity(message))
            }
        default:
            self = .poison(reason: "unknown type", Self.identity(message))
        }
    }

    /// What a command of any version has; nil where the body is not even that.
    private static func identity(_ message: Message) -> Identity? {
        struct Names: Decodable {
            var id: String
            var fingerprint: String?
        }
        let longest = 256
        do {
            let names = try JSONCoding.decode(Names.self, from: message.body)
            guard (1...longest).contains(names.id.utf8.count) else { return nil }
            return Identity(id: names.id, fingerprint: names.fingerprint ?? "", trace: message.trace)
        } catch {
            return nil
        }
    }
}
