import Testing

@testable import AMQP

/// What tasks and the thread share, without the thread.
@Suite struct MailboxTests {
    let mailbox = Mailbox(maximumMessages: 2, maximumBytes: 100)

    func publish(bytes: Int = 1) throws(AMQPError) {
        let message = Message(body: Array(repeating: 1, count: bytes), type: "t", messageID: "m")
        try mailbox.publish(
            PendingPublish(
                message: message, exchange: "", routingKey: "", deadline: .now,
                receipt: PublishReceipt(answer: OneShot())))
    }

    func consumer() -> Consumer { Consumer(id: mailbox.newID(), queue: "q", prefetch: 1, arguments: [:]) }

    func delivery(_ tag: UInt64) -> Delivery {
        Delivery(
            message: Message(body: [1], type: "t", messageID: "\(tag)"), tag: tag, redelivered: false,
            streamOffset: nil,
            deliveryCount: 0)
    }

    func refusal(_ body: () throws(AMQPError) -> Void) -> AMQPError.Code? {
        do throws(AMQPError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func refusesAtOnceWhatCannotBeSent() {
        #expect(refusal { () throws(AMQPError) in try publish() } == .notConnected)
        mailbox.report(.connected)
        #expect(refusal { () throws(AMQPError) in try publish() } == nil)
        mailbox.report(.blocked(reason: "memory"))
        #expect(refusal { () throws(AMQPError) in try publish() } == .blocked)
        mailbox.requestStop(.graceful)
        #expect(refusal { () throws(AMQPError) in try publish() } == .stopped)
    }

    @Test func boundsWhatIsOutstanding() {
        mailbox.report(.connected)
        #expect(refusal { () throws(AMQPError) in try publish(bytes: 60) } == nil)
        #expect(refusal { () throws(AMQPError) in try publish(bytes: 60) } == .blocked)
        #expect(refusal { () throws(AMQPError) in try publish(bytes: 40) } == nil)
        #expect(refusal { () throws(AMQPError) in try publish(bytes: 0) } == .blocked)
        mailbox.release(bytes: 60)
        #expect(refusal { () throws(AMQPError) in try publish(bytes: 60) } == nil)
    }

    @Test func subscriptionsOutliveADisconnectAndMessagesDoNot() throws {
        mailbox.report(.connected)
        try publish()
        try mailbox.subscribe(consumer())
        #expect(mailbox.disconnect(.disconnected(reason: "x")).count == 2)
        let kept = mailbox.takeCommands()
        #expect(kept.count == 1)
        guard case .subscribe = kept.first else {
            Issue.record("the subscription is not waiting")
            return
        }
    }

    @Test(.timeLimit(.minutes(1))) func everyReaderOfTheStatusGetsAllOfIt() async {
        let early = mailbox.statusUpdates()
        mailbox.report(.connected)
        let late = mailbox.statusUpdates()
        mailbox.report(.connected)
        _ = mailbox.disconnect(.stopped)
        mailbox.finishUpdates()
        #expect(await Array(early) == [.disconnected(reason: "not connected yet"), .connected, .stopped])
        #expect(await Array(late) == [.connected, .stopped])
        #expect(await Array(mailbox.statusUpdates()) == [.stopped])
    }

    @Test(.timeLimit(.minutes(1))) func cancellingWhatWaitsWithdrawsIt() async throws {
        let consumer = consumer()
        try mailbox.subscribe(consumer)
        mailbox.cancel(consumer)
        await consumer.released.value(ifCancelled: ())
        #expect(mailbox.takeCommands().isEmpty)
    }

    @Test(.timeLimit(.minutes(1))) func whatWasDeliveredIsReadBeforeTheError() async throws {
        let consumer = consumer()
        consumer.deliver(delivery(1))
        consumer.end(.failure(AMQPError(.connectionLost, "x")))
        consumer.deliver(delivery(2))
        #expect(try await consumer.next()?.tag == 1)
        await #expect(throws: AMQPError.self) { try await consumer.next() }
    }

    @Test(.timeLimit(.minutes(1))) func aCancelDropsWhatWasDelivered() async throws {
        let consumer = consumer()
        consumer.deliver(delivery(1))
        consumer.end(.success(()))
        #expect(try await consumer.next() == nil)
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledTaskStopsWaiting() async throws {
        let consumer = consumer()
        let waiting = Task { try await consumer.next() }
        waiting.cancel()
        #expect(try await waiting.value == nil)
        consumer.deliver(delivery(1))
        #expect(try await consumer.next()?.tag == 1)

        let receipt = PublishReceipt(answer: OneShot())
        let confirmed = Task { try await receipt.confirmed() }
        confirmed.cancel()
        let error = await #expect(throws: AMQPError.self) { try await confirmed.value }
        #expect(error?.code == .unconfirmed)
    }

    @Test(.timeLimit(.minutes(1))) func aValueIsGivenOnceToAllWhoWait() async {
        let value = OneShot<Int>()
        async let one = value.value(ifCancelled: 0)
        async let two = value.value(ifCancelled: 0)
        #expect(value.resolve(1))
        #expect(!value.resolve(2))
        #expect(await one == 1)
        #expect(await two == 1)
    }
}

extension Array {
    init(_ stream: AsyncStream<Element>) async where Element: Sendable {
        self = []
        for await element in stream { append(element) }
    }
}
