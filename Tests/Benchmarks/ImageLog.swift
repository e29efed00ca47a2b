import AMQP
import Catalog
import Foundation

/// Writes images beside a log, as the active scheduler does: each time that the log behind the last image is larger than it.
struct ImageLog {
    let connection: Connection
    let exchange: String
    private var catalog = Catalog()
    private var size = 1 << 20
    private var bytes = 0
    private(set) var images = 0

    init(connection: Connection, exchange: String) {
        self.connection = connection
        self.exchange = exchange
    }

    /// The last message of `writer` is `message`; the stream was empty before the first.
    mutating func note(_ message: CatalogMessage, _ writer: inout StreamWriter, bytes before: Int) async throws {
        let offset = Int64(writer.messages - 1)
        _ = catalog.apply(message, at: offset)
        bytes += writer.bytes - before
        guard bytes >= size else { return }
        try await writer.flush()
        let position = LogPosition(offset: offset, messageID: writer.messageID)
        let image = try CatalogImage(of: catalog.imageSource, at: position)
        for message in image.messages {
            try await connection.publish(message, to: exchange, routingKey: "", timeout: .seconds(60))
        }
        size = max(1 << 20, image.size)
        bytes = 0
        images += 1
    }
}
