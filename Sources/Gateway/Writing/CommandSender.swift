import AMQP
import Catalog

/// What the routes say to the broker. AMQP in the process, a fake in tests.
protocol CommandSender: Sendable {
    var publishing: ConnectionStatus { get }
    var consuming: ConnectionStatus { get }
    /// Hands a command over for the registrar and waits for the broker's confirm.
    func send(_ command: Command, timeout: Duration) async throws
    /// Puts a message on the catalog stream and waits for the broker's confirm.
    func publish(_ message: CatalogMessage, timeout: Duration) async throws
}

/// Commands and requests over the gateway's two connections.
struct BrokerSender: CommandSender {
    let brokerMap: BrokerMap
    let publishingConnection: Connection
    let consumingConnection: Connection
    let follower: CatalogFollower

    var publishing: ConnectionStatus { publishingConnection.status }
    var consuming: ConnectionStatus { consumingConnection.status }

    func send(_ command: Command, timeout: Duration) async throws {
        let message = try Message(type: BrokerMap.MessageType.command, payload: command)
        try await publishingConnection.publish(
            message, to: BrokerMap.exchange(to: brokerMap.commands), routingKey: "", timeout: timeout)
    }

    func publish(_ message: CatalogMessage, timeout: Duration) async throws {
        try await follower.publish(message, timeout: timeout).confirmed()
    }
}
