import AMQP

/// The least rights that each role needs at the broker, as RabbitMQ takes them: three regular expressions over names, of
/// exchanges and queues alike (https://www.rabbitmq.com/access-control.html#authorisation). Publishing is to write to
/// an exchange, consuming to read from a queue (which allows purging it too), a binding to write to the queue and read
/// from the exchange. Nobody may use the default exchange.
public struct BrokerRights: Sendable, Hashable {
    /// Whose rights; the names are those of the users in `deploy/`.
    public enum Role: String, Sendable, CaseIterable {
        case gateway, poller, registrar
        /// Declares everything, at deployment: `rollcall topology apply`.
        case topology
    }

    public var configure: String
    public var write: String
    public var read: String
}

extension BrokerMap {
    public func rights(of role: BrokerRights.Role) -> BrokerRights {
        switch role {
        case .gateway:
            rights(publishesTo: [commands, catalog], reads: [catalog, images])
        case .poller:
            rights(
                publishesTo: [ticks, polls, catalog, images], reads: [ticks, polls, verifications, catalog, images])
        case .registrar:
            rights(publishesTo: [commands, verifications, catalog], reads: [commands, catalog, images])
        case .topology:
            topologyRights
        }
    }

    private func rights(publishesTo targets: [String], reads sources: [String]) -> BrokerRights {
        BrokerRights(
            configure: Self.expression([]), write: Self.expression(targets.map(Self.exchange(to:))),
            read: Self.expression(sources))
    }

    /// To declare, to bind, and to declare a queue that dead-letters: the broker checks then, and only then, that who
    /// declares it may read it and write to where its dead letters go.
    private var topologyRights: BrokerRights {
        let topology = topology
        let (queues, exchanges) = (topology.queues.map(\.name), topology.exchanges.map(\.name))
        let deadLettering = topology.queues.filter { $0.arguments["x-dead-letter-exchange"] != nil }
        return BrokerRights(
            configure: Self.expression(queues + exchanges),
            write: Self.expression(queues + [Self.exchange(to: dead)]),
            read: Self.expression(exchanges + deadLettering.map(\.name)))
    }

    /// Matches exactly these names: RabbitMQ anchors nothing by itself.
    private static func expression(_ names: [String]) -> String {
        let alternatives = names.map { name in name.map { $0 == "." ? "\\." : String($0) }.joined() }
        return names.isEmpty ? "^$" : "^(\(alternatives.joined(separator: "|")))$"
    }
}
