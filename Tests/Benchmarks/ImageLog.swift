import AMQP
import Catalog
import Foundation

/// Writes images beside a log, as the active scheduler does: each time that the log behind the last image is larger than it.
struct ImageLog {
    let connection: Connection
    let map: BrokerMap
    private var catalog = Catalog()
    private var size = 1 << 20
    private var bytes = 0
    private(set) var images = 0

    init(connection: Connection, map: BrokerMap) {
        self.connection = connection
        self.map = map
    }

    /// The last message of `writer` is `message`; the stream was empty before the first.
    mutating func note(_ message: CatalogMessage, _ writer: inout StreamWriter, bytes before: Int) async throws {
        _ = catalog.apply(message, at: Int64(writer.messages - 1))
        bytes += writer.bytes - before
        guard bytes >= size else { return }
        try await writer.flush()
        let position = LogPosition(offset: try await offset(of: writer.messageID), messageID: writer.messageID)
        let image = try CatalogImage(of: catalog.imageSource, at: position)
        for message in image.messages {
            try await connection.publish(
                message, to: BrokerMap.exchange(to: map.images), routingKey: "", timeout: .seconds(60))
        }
        size = max(1 << 20, image.size)
        bytes = 0
        images += 1
    }
    /// The last message's place in the stream. It cannot be counted: the broker gives an offset to an entry of its own at the
    /// beginning of each segment.
    private func offset(of messageID: String) async throws -> Int64 {
        let subscription = try await connection.subscribe(
            to: map.catalog, prefetch: 200, arguments: ["x-stream-offset": .string("last")])
        for try await delivery in subscription {
            subscription.acknowledge(delivery)
            guard delivery.message.messageID == messageID, let offset = delivery.streamOffset else { continue }
            await subscription.cancel()
            return offset
        }
        throw AMQPError(.cancelled, "the stream ended before its last message")
    }
}
