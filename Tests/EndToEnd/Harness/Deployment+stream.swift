import AMQP
import Catalog
import Foundation
import Logging
import Testing

extension Deployment {
    /// A connection of the test's own, up while `body` runs.
    func withConnection<Value>(
        _ topology: Topology? = nil, _ body: (Connection, BrokerMap) async throws -> Value
    ) async throws -> Value {
        let map = BrokerMap(namespace: namespace)
        let connection = try Connection(
            configuration: ConnectionConfiguration(urls: [broker.url], name: "test"),
            topology: topology ?? map.topology,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let running = Task { try await connection.run() }
        defer { running.cancel() }
        for await status in connection.statusUpdates() where status == .connected { break }
        return try await body(connection, map)
    }

    /// The catalog stream from its beginning up to now.
    func streamed() async throws -> [Message] {
        try await withConnection { connection, map in
            let mark = UUID().uuidString
            try await connection.publish(
                CatalogMessage.syncMark(SyncMark(id: mark)).encoded(), to: BrokerMap.exchange(to: map.catalog),
                routingKey: "")
            let stream = try await connection.subscribe(
                to: map.catalog, prefetch: 1000, arguments: ["x-stream-offset": .string("first")])
            return try await stream.messages { String(decoding: $0.body, as: UTF8.self).contains(mark) }
        }
    }
}

extension Subscription {
    /// Takes messages up to the one that `isLast` says.
    func messages(until isLast: (Message) -> Bool) async throws -> [Message] {
        var messages: [Message] = []
        for try await delivery in self {
            acknowledge(delivery)
            messages.append(delivery.message)
            if isLast(delivery.message) { return messages }
        }
        Issue.record("the subscription ended before the last message")
        return messages
    }
}
