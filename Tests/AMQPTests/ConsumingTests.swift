import Testing

@testable import AMQP

extension BrokerTests {
    @Suite struct ConsumingTests {
        @Test func aMessageArrivesAsItWasSentAndIsDeliveredAgain() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 10)
                    var sent = message(1)
                    sent.headers = ["text": .string("ü"), "number": .integer(-5), "yes": .bool(true)]
                    sent.expiration = .seconds(60)
                    try await connection.publish(sent, to: names.exchange, routingKey: "k")

                    var deliveries = subscription.makeAsyncIterator()
                    let first = try #require(try await deliveries.next())
                    #expect(first.message == sent)
                    #expect(!first.redelivered && first.deliveryCount == 0 && first.streamOffset == nil)
                    subscription.reject(first, requeue: true)
                    let second = try #require(try await deliveries.next())
                    #expect(second.message == sent)
                    #expect(second.redelivered && second.deliveryCount == 1)
                    subscription.acknowledge(second)
                    await subscription.cancel()
                    #expect(try await deliveries.next() == nil)
                }
            }
        }

        @Test func aLargeBodyIsPutTogether() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 1)
                    let sent = message(bytes: 1_000_000)
                    try await connection.publish(sent, to: names.exchange, routingKey: "k")
                    var deliveries = subscription.makeAsyncIterator()
                    #expect(try await deliveries.next()?.message == sent)
                }
            }
        }

        @Test func noMoreIsDeliveredThanPrefetchAllows() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    await connection.waitUntilConnected()
                    for number in 0..<6 {
                        try await connection.publish(message(number), to: names.exchange, routingKey: "k")
                    }
                    let one = try await connection.subscribe(to: names.queue, prefetch: 2)
                    var oneDeliveries = one.makeAsyncIterator()
                    _ = try #require(try await oneDeliveries.next())
                    let last = try #require(try await oneDeliveries.next())
                    // The rest is there for others.
                    let other = try await connection.subscribe(to: names.queue, prefetch: 10)
                    var otherDeliveries = other.makeAsyncIterator()
                    for number in 2..<6 {
                        #expect(try await otherDeliveries.next()?.message.body == Array("\(number)".utf8))
                    }
                    // A cancelled one gives back what it had.
                    one.acknowledge(last)
                    await one.cancel()
                    #expect(try await otherDeliveries.next()?.message.body == Array("0".utf8))
                }
            }
        }

        @Test func aDroppedSubscriptionGivesItsMessagesBack() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    await connection.waitUntilConnected()
                    try await connection.publish(message(7), to: names.exchange, routingKey: "k")
                    func readOne() async throws {
                        let subscription = try await connection.subscribe(to: names.queue, prefetch: 1)
                        for try await _ in subscription { break }
                    }
                    try await readOne()
                    let other = try await connection.subscribe(to: names.queue, prefetch: 1)
                    var deliveries = other.makeAsyncIterator()
                    #expect(try await deliveries.next()?.redelivered == true)
                }
            }
        }

        @Test(
            arguments: [
                (FieldValue.string("first"), 0), (.integer(5), 5), (.string("11m"), 0), (.string("last"), nil),
            ] as [(FieldValue, Int64?)])
        func aStreamIsReadFromWhereOneWants(_ offset: FieldValue, _ expected: Int64?) async throws {
            try await LiveBroker.withNames { names in
                let topology = names.topology(["x-queue-type": .string("stream")])
                try await withConnection(configuration(LiveBroker.url), topology) { connection in
                    await connection.waitUntilConnected()
                    for number in 0..<10 {
                        try await connection.publish(message(number), to: names.exchange, routingKey: "k")
                    }
                    let subscription = try await connection.subscribe(
                        to: names.queue, prefetch: 2, arguments: ["x-stream-offset": offset])
                    var next = expected
                    for try await delivery in subscription {
                        let read = try #require(delivery.streamOffset)
                        if let next { #expect(read == next) }
                        #expect(delivery.message.body == Array("\(read)".utf8))
                        next = read + 1
                        subscription.acknowledge(delivery)
                        if read == 9 { break }
                    }
                    #expect(next == 10)
                }
            }
        }

        @Test func aMissingQueueIsAnError() async throws {
            try await withConnection(configuration(LiveBroker.url)) { connection in
                let error = await #expect(throws: AMQPError.self) {
                    try await connection.subscribe(to: "amqp-test.missing", prefetch: 1)
                }
                #expect(error?.code == .cancelled)
                #expect(error?.message.contains("NOT_FOUND") == true)
                #expect(connection.status == .connected)
            }
        }

        @Test(arguments: ["classic", "quorum", "stream"])
        func aDeletedQueueEndsItsSubscriptionAndIsDeclaredAgain(_ type: String) async throws {
            try await LiveBroker.withNames { names in
                let topology = names.topology(["x-queue-type": .string(type)])
                try await withConnection(configuration(LiveBroker.url), topology) { connection in
                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 1)
                    try names.deleteQueue()
                    var deliveries = subscription.makeAsyncIterator()
                    #expect(await deliveries.failure() == .cancelled)
                    _ = try await connection.subscribe(to: names.queue, prefetch: 1)
                }
            }
        }

        @Test func aStopEndsSubscriptions() async throws {
            try await LiveBroker.withNames { names in
                let subscription = try await withConnection(configuration(LiveBroker.url), names.topology()) {
                    try await $0.subscribe(to: names.queue, prefetch: 1)
                }
                var deliveries = subscription.makeAsyncIterator()
                #expect(await deliveries.failure() == .stopped)
            }
        }
    }
}
