import Testing

@testable import AMQP

/// The protocol without a broker: what comes in, and what the session then does.
@Suite struct SessionStateTests {
    typealias State = SessionState<Int>
    let now = ContinuousClock.now

    func state(maximumChannel: UInt16 = 2047) -> State {
        State(maximumChannel: maximumChannel, callTimeout: .seconds(2))
    }

    func request(_ id: UInt64, prefetch: UInt16 = 7) -> ConsumerChannels.Request {
        ConsumerChannels.Request(id: id, queue: "q\(id)", prefetch: prefetch, arguments: ["x": .integer(1)])
    }

    /// An action as text, which is the easiest to compare.
    func text(_ actions: [State.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .send(let method, let channel): "send \(method) on \(channel)"
            case .answer(let receipt, .success): "confirmed \(receipt)"
            case .answer(let receipt, .failure(let error)): "\(error.code) \(receipt)"
            case .started(let id): "started \(id)"
            case .deliver(let delivery, let id): "deliver \(delivery.message.body) tag \(delivery.tag) to \(id)"
            case .ended(let id, let error): "ended \(id) \(error?.description ?? "as asked")"
            case .blocked(let reason): "blocked \(reason)"
            case .unblocked: "unblocked"
            case .lost(let error): "lost \(error.message)"
            }
        }
    }

    func receive(_ state: inout State, _ method: IncomingMethod, on channel: UInt16) -> [String] {
        text(state.receive(.method(method, channel: channel), at: now))
    }

    func deliver(_ state: inout State, _ body: [UInt8], tag: UInt64, on channel: UInt16) -> [String] {
        receive(&state, .deliver(tag: tag, redelivered: false), on: channel)
            + text(state.receive(.header(MessageProperties(), bodySize: UInt64(body.count), channel: channel), at: now))
            + text(state.receive(.body(body, channel: channel), at: now))
    }

    func consuming(_ id: UInt64 = 1) -> State {
        var state = state()
        _ = state.subscribe(request(id), at: now)
        for method in [IncomingMethod.channelOpenOk, .qosOk, .consumeOk] { _ = receive(&state, method, on: 2) }
        return state
    }

    // MARK: Publishing

    @Test func confirmsAndNacks() {
        var state = state()
        for number in 1...4 { state.published(number, messageID: "m\(number)", deadline: now + .seconds(1)) }
        #expect(receive(&state, .ack(tag: 2, multiple: true), on: 1) == ["confirmed 1", "confirmed 2"])
        #expect(receive(&state, .nack(tag: 4, multiple: false), on: 1) == ["nacked 4"])
        #expect(state.unconfirmed == 1)
        #expect(text(state.advance(to: now + .seconds(1))) == ["unconfirmed 3"])
    }

    @Test func aReturnIsAMessageAndThenAnAck() {
        var state = state()
        state.published(1, messageID: "m1", deadline: now + .seconds(1))
        #expect(receive(&state, .returned(code: 312, text: "NO_ROUTE"), on: 1) == [])
        let header = Frame.header(MessageProperties(messageID: "m1"), bodySize: 2, channel: 1)
        #expect(text(state.receive(header, at: now)) == [])
        #expect(text(state.receive(.body([1, 2], channel: 1), at: now)) == ["returned 1"])
        #expect(receive(&state, .ack(tag: 1, multiple: false), on: 1) == [])
    }

    @Test func whatIsInFlightEndsUnconfirmedWithTheConnection() {
        var state = state()
        state.published(1, messageID: "m1", deadline: now + .seconds(1))
        state.published(2, messageID: "m2", deadline: now + .seconds(1))
        #expect(receive(&state, .ack(tag: 1, multiple: false), on: 1) == ["confirmed 1"])
        #expect(text(state.end("gone")) == ["unconfirmed 2"])
        #expect(state.unconfirmed == 0)
    }

    @Test func blockedFailsWhatIsInFlightAndUnblockedGoesOn() {
        var state = state()
        state.published(1, messageID: "m1", deadline: now + .seconds(1))
        #expect(receive(&state, .connectionBlocked(reason: "memory"), on: 0) == ["blocked memory", "unconfirmed 1"])
        #expect(state.blockedReason == "memory")
        #expect(receive(&state, .connectionUnblocked, on: 0) == ["unblocked"])
        #expect(state.blockedReason == nil)
        // Number 1 is still the broker's to answer.
        state.published(2, messageID: "m2", deadline: now + .seconds(1))
        #expect(receive(&state, .ack(tag: 2, multiple: true), on: 1) == ["confirmed 2"])
    }

    @Test func closesAreAnsweredAndEndTheSession() {
        var one = state()
        #expect(
            receive(&one, .connectionClose(code: 320, text: "bye"), on: 0)
                == ["send connectionCloseOk on 0", "lost the broker closed the connection: 320 bye"])
        var other = state()
        #expect(
            receive(&other, .channelClose(code: 404, text: "no exchange"), on: 1)
                == ["send channelCloseOk on 1", "lost the broker closed the publishing channel: 404 no exchange"])
    }

    @Test func aFrameOutOfPlaceEndsTheSession() {
        var state = state()
        #expect(
            text(state.receive(.body([1], channel: 2), at: now)) == ["lost the broker sent a frame out of its place"])
    }

    // MARK: Consuming

    @Test func subscribingTakesThreeSteps() {
        var state = state()
        #expect(text(state.subscribe(request(9), at: now)) == ["send channelOpen on 2"])
        #expect(receive(&state, .channelOpenOk, on: 2) == ["send qos(prefetch: 7) on 2"])
        let consume = receive(&state, .qosOk, on: 2)
        #expect(consume.count == 1 && consume[0].contains("consume(queue: \"q9\""))
        #expect(text(state.acknowledge(tag: 1, of: 9)) == [])
        #expect(receive(&state, .consumeOk, on: 2) == ["started 9"])
        #expect(deliver(&state, [5], tag: 3, on: 2) == ["deliver [5] tag 3 to 9"])
        #expect(text(state.acknowledge(tag: 3, of: 9)) == ["send ack(tag: 3) on 2"])
        #expect(text(state.reject(tag: 3, requeue: true, of: 9)) == ["send reject(tag: 3, requeue: true) on 2"])
        #expect(state.nextDeadline == nil)
    }

    @Test func aMissingQueueEndsTheSubscriptionOnly() {
        var state = state()
        _ = state.subscribe(request(1), at: now)
        _ = receive(&state, .channelOpenOk, on: 2)
        _ = receive(&state, .qosOk, on: 2)
        #expect(
            receive(&state, .channelClose(code: 404, text: "NOT_FOUND"), on: 2)
                == ["send channelCloseOk on 2", "ended 1 cancelled: 404 NOT_FOUND"])
        // The number is free again.
        #expect(text(state.subscribe(request(2), at: now)) == ["send channelOpen on 2"])
    }

    @Test func anotherRefusalSaysSo() {
        var state = consuming()
        let actions = receive(&state, .channelClose(code: 406, text: "PRECONDITION_FAILED"), on: 2)
        #expect(actions.last == "ended 1 channelClosed: 406 PRECONDITION_FAILED")
    }

    @Test func theBrokersCancelClosesTheChannel() {
        var state = consuming()
        #expect(receive(&state, .cancel, on: 2) == ["send channelClose on 2"])
        #expect(receive(&state, .channelCloseOk, on: 2).first?.hasPrefix("ended 1 cancelled:") == true)
    }

    @Test func afterACancelNothingIsDeliveredOrAcknowledged() {
        var state = consuming()
        #expect(text(state.cancel(1, at: now)) == ["send channelClose on 2"])
        #expect(text(state.cancel(1, at: now)) == [])
        #expect(deliver(&state, [5], tag: 1, on: 2) == [])
        #expect(text(state.acknowledge(tag: 1, of: 1)) == [])
        // Meanwhile its number belongs to nobody else.
        #expect(text(state.subscribe(request(2), at: now)) == ["send channelOpen on 3"])
        #expect(receive(&state, .channelCloseOk, on: 2) == ["ended 1 as asked"])
        #expect(text(state.acknowledge(tag: 1, of: 1)) == [])
    }

    @Test func bothClosingAtOnceWaitsForTheAnswerToOurs() {
        var state = consuming()
        _ = state.cancel(1, at: now)
        #expect(receive(&state, .channelClose(code: 404, text: "gone"), on: 2) == ["send channelCloseOk on 2"])
        #expect(receive(&state, .channelCloseOk, on: 2) == ["ended 1 as asked"])
    }

    @Test func aBrokerThatDoesNotAnswerIsGivenUp() {
        var state = state()
        _ = state.subscribe(request(1), at: now)
        #expect(state.nextDeadline == now + .seconds(2))
        #expect(text(state.advance(to: now + .seconds(1))) == [])
        #expect(text(state.advance(to: now + .seconds(2))) == ["lost the broker did not answer in time"])
    }

    @Test func moreChannelsThanAllowedAreRefused() {
        var state = state(maximumChannel: 2)
        #expect(text(state.subscribe(request(1), at: now)) == ["send channelOpen on 2"])
        #expect(
            text(state.subscribe(request(2), at: now)) == ["ended 2 channelClosed: the broker allows no more channels"])
    }
}
