import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import AMQP

extension BrokerTests {
    @Suite struct PublishingTests {
        @Test func manyInFlightAreAllConfirmedAndKeepTheirOrder() async throws {
            try await LiveBroker.withNames { names in
                let count = 10_000
                let topology = names.topology(["x-queue-type": .string("classic")])
                try await withConnection(configuration(LiveBroker.url), topology) { connection in
                    await connection.waitUntilConnected()
                    let receipts = try (0..<count).map { number in
                        try connection.send(message(number), to: names.exchange, routingKey: "k", timeout: .seconds(30))
                    }
                    for receipt in receipts { try await receipt.confirmed() }

                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 1000)
                    var deliveries = subscription.makeAsyncIterator()
                    var inOrder = 0
                    for number in 0..<count {
                        let delivery = try #require(try await deliveries.next())
                        if delivery.message.body == Array("\(number)".utf8) { inOrder += 1 }
                        subscription.acknowledge(delivery)
                    }
                    #expect(inOrder == count)
                }
            }
        }

        @Test func onlyWhatCannotBeRoutedIsReturned() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    await connection.waitUntilConnected()
                    let receipts = try (0..<100).map { number in
                        let key = number.isMultiple(of: 3) ? "nowhere" : "k"
                        return try connection.send(message(number), to: names.exchange, routingKey: key)
                    }
                    for (number, receipt) in receipts.enumerated() {
                        #expect(await receipt.failure() == (number.isMultiple(of: 3) ? .returned : nil))
                    }
                }
            }
        }

        @Test func aFullQueueRefuses() async throws {
            try await LiveBroker.withNames { names in
                let topology = names.topology([
                    "x-queue-type": .string("classic"), "x-max-length": .integer(1),
                    "x-overflow": .string("reject-publish"),
                ])
                try await withConnection(configuration(LiveBroker.url), topology) { connection in
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                    let receipt = try connection.send(message(), to: names.exchange, routingKey: "k")
                    #expect(await receipt.failure() == .nacked)
                }
            }
        }

        @Test func whatABadMessageWouldBreakIsRefused() async throws {
            try await withConnection(configuration(LiveBroker.url)) { connection in
                await connection.waitUntilConnected()
                let error = #expect(throws: AMQPError.self) {
                    try connection.send(message(bytes: 0), to: "", routingKey: "k")
                }
                #expect(error?.code == .invalidMessage)
            }
        }

        @Test func whatADeletedExchangeBreaksIsDeclaredAgain() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    await connection.waitUntilConnected()
                    try names.deleteExchange()
                    let receipt = try connection.send(message(), to: names.exchange, routingKey: "k")
                    #expect(await receipt.failure() == .unconfirmed)
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                }
            }
        }

        @Test func aRefusedDeclarationIsReportedAndTriedAgain() async throws {
            let names = LiveBroker.Names()
            let topology = names.topology(["x-message-ttl": .integer(-1)])
            try await withConnection(configuration(LiveBroker.url), topology) { connection in
                let reason = await connection.waitForReason("PRECONDITION_FAILED")
                #expect(reason.contains(names.queue))
                let error = #expect(throws: AMQPError.self) {
                    try connection.send(message(), to: names.exchange, routingKey: "k")
                }
                #expect(error?.code == .notConnected)
            }
            try names.deleteExchange()
        }

        @Test func aRefusedLoginLeaksNoCredential() async throws {
            let address = try BrokerURL(LiveBroker.url).address
            let log = LogRecorder()
            let url = "amqp://someuser:somepassword@\(address)/"
            try await withConnection(configuration(url), logger: log.logger) {
                connection in
                let reason = await connection.waitForReason("ACCESS_REFUSED")
                #expect(reason.contains(address))
                #expect(!reason.contains("someuser") && !reason.contains("somepassword"))
            }
            #expect(log.text.contains("ACCESS_REFUSED"))
            #expect(!log.text.contains("someuser") && !log.text.contains("somepassword"))
        }

        @Test func theNextURLIsTriedWhereOneIsDead() async throws {
            var configuration = configuration(try LiveBroker.url)
            configuration.urls.append("amqp://127.0.0.1:1/")
            try await withConnection(configuration) { connection in await connection.waitUntilConnected() }
        }

        @Test func afterTheStopNothingWorks() async throws {
            let connection = try await withConnection(configuration(LiveBroker.url)) { connection in
                await connection.waitUntilConnected()
                return connection
            }
            #expect(connection.status == .stopped)
            let error = #expect(throws: AMQPError.self) { try connection.send(message(), to: "", routingKey: "k") }
            #expect(error?.code == .stopped)
            let other = await #expect(throws: AMQPError.self) { try await connection.subscribe(to: "q", prefetch: 1) }
            #expect(other?.code == .stopped)
        }
    }
}

/// Keeps what is logged.
final class LogRecorder: Sendable {
    private let held = Mutex("")
    var text: String { held.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in
            EventLogHandler { event, metadata in self.held.withLock { $0 += "\(event.message) \(metadata)\n" } }
        }
    }
}
