import AMQP
import Catalog

/// Publishes on a stream with many confirms in flight.
struct StreamWriter {
    private static let bytesInFlight = 8 << 20
    private static let messagesInFlight = 2000

    private let connection: Connection
    private let exchange: String
    private var unconfirmed: [PublishReceipt] = []
    private var unconfirmedBytes = 0

    private(set) var messages = 0
    private(set) var bytes = 0
    /// Of the last message.
    private(set) var messageID = ""

    init(connection: Connection, exchange: String) {
        self.connection = connection
        self.exchange = exchange
    }

    mutating func write(_ message: CatalogMessage) async throws {
        let encoded = try message.encoded()
        unconfirmed.append(try connection.send(encoded, to: exchange, routingKey: "", timeout: .seconds(60)))
        messages += 1
        messageID = encoded.messageID
        bytes += encoded.body.count
        unconfirmedBytes += encoded.body.count
        if unconfirmedBytes >= Self.bytesInFlight || unconfirmed.count >= Self.messagesInFlight { try await flush() }
    }

    /// Waits until all that was written is confirmed.
    mutating func flush() async throws {
        for receipt in unconfirmed { try await receipt.confirmed() }
        unconfirmed.removeAll(keepingCapacity: true)
        unconfirmedBytes = 0
    }
}
