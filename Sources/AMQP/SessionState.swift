/// The protocol of one connection, from the login to its end, without any I/O: what comes in, and what to do then.
struct SessionState<Receipt> {
    typealias ConsumerID = ConsumerChannels.ConsumerID

    enum Action {
        case send(OutgoingMethod, channel: UInt16)
        /// The answer to one message.
        case answer(Receipt, Result<Void, AMQPError>)
        case started(ConsumerID)
        case deliver(Delivery, to: ConsumerID)
        case ended(ConsumerID, AMQPError?)
        case blocked(reason: String)
        case unblocked
        /// This connection is of no more use. Nothing else is to be sent on it.
        case lost(AMQPError)
    }

    /// The channel that publishes; it is open and confirms before the session begins.
    static var publishingChannel: UInt16 { 1 }

    private(set) var blockedReason: String?
    private var tracker = PublishTracker<Receipt>()
    private var consumers: ConsumerChannels
    private var assembler = ContentAssembler()

    init(maximumChannel: UInt16, callTimeout: Duration) {
        consumers = ConsumerChannels(
            firstChannel: Self.publishingChannel + 1, maximumChannel: max(maximumChannel, 2), callTimeout: callTimeout)
    }

    // MARK: What we do

    /// To be called just before the message is written.
    mutating func published(_ receipt: Receipt, messageID: String, deadline: ContinuousClock.Instant) {
        tracker.published(receipt, messageID: messageID, deadline: deadline)
    }

    mutating func subscribe(_ request: ConsumerChannels.Request, at now: ContinuousClock.Instant) -> [Action] {
        [Self.action(consumers.open(request, at: now))]
    }

    mutating func cancel(_ id: ConsumerID, at now: ContinuousClock.Instant) -> [Action] {
        consumers.close(id, at: now).map { [Self.action($0)] } ?? []
    }

    func acknowledge(tag: UInt64, of id: ConsumerID) -> [Action] {
        consumers.channel(of: id).map { [.send(.ack(tag: tag), channel: $0)] } ?? []
    }

    func reject(tag: UInt64, requeue: Bool, of id: ConsumerID) -> [Action] {
        consumers.channel(of: id).map { [.send(.reject(tag: tag, requeue: requeue), channel: $0)] } ?? []
    }

    // MARK: What the broker does

    mutating func receive(_ frame: Frame, at now: ContinuousClock.Instant) -> [Action] {
        do throws(ContentAssembler.OutOfPlace) {
            switch frame {
            case .method(let method, let channel):
                return try receive(method, channel: channel, at: now)
            case .header(let properties, let bodySize, let channel):
                return complete(try assembler.header(properties, bodySize: bodySize, channel: channel), channel)
            case .body(let bytes, let channel):
                return complete(try assembler.body(bytes, channel: channel), channel)
            }
        } catch {
            return [.lost(AMQPError(.connectionLost, "the broker sent a frame out of its place"))]
        }
    }

    /// Something whose time has come: answers for messages, or a broker that does not answer.
    mutating func advance(to now: ContinuousClock.Instant) -> [Action] {
        if let deadline = consumers.nextDeadline, deadline <= now {
            return [.lost(AMQPError(.connectionLost, "the broker did not answer in time"))]
        }
        let error = AMQPError(.unconfirmed, "the broker did not confirm in time")
        return tracker.expired(at: now).map { .answer($0, .failure(error)) }
    }

    /// When `advance` has something to do next.
    var nextDeadline: ContinuousClock.Instant? {
        [tracker.nextDeadline, consumers.nextDeadline].compactMap { $0 }.min()
    }

    /// How many messages wait for the broker's answer.
    var unconfirmed: Int { tracker.outstanding }

    /// The connection is gone: what was sent and not answered may have arrived or not.
    mutating func end(_ reason: String) -> [Action] {
        let error = AMQPError(.unconfirmed, "the connection was lost before the broker confirmed: \(reason)")
        return tracker.takeAll().map { .answer($0, .failure(error)) }
    }

    private mutating func receive(
        _ method: IncomingMethod, channel: UInt16, at now: ContinuousClock.Instant
    ) throws(ContentAssembler.OutOfPlace) -> [Action] {
        switch method {
        case .deliver(let tag, let redelivered):
            try assembler.begin(.delivery(tag: tag, redelivered: redelivered), channel: channel)
            return []
        case .returned(let code, let text):
            try assembler.begin(.returned(code: code, text: text), channel: channel)
            return []
        case .ack(let tag, let multiple):
            return tracker.answered(tag: tag, multiple: multiple).map { .answer($0, .success(())) }
        case .nack(let tag, let multiple):
            let error = AMQPError(.nacked, "the broker refused the message")
            return tracker.answered(tag: tag, multiple: multiple).map { .answer($0, .failure(error)) }
        case .connectionClose(let code, let text):
            let error = AMQPError(.connectionLost, "the broker closed the connection: \(code) \(text)")
            return [.send(.connectionCloseOk, channel: 0), .lost(error)]
        case .connectionBlocked(let reason):
            return block(reason)
        case .connectionUnblocked:
            blockedReason = nil
            return [.unblocked]
        case .channelClose(let code, let text) where channel == Self.publishingChannel:
            // Most likely an exchange is gone. A new connection declares it again.
            let error = AMQPError(.connectionLost, "the broker closed the publishing channel: \(code) \(text)")
            return [.send(.channelCloseOk, channel: channel), .lost(error)]
        case .channelClose, .channelCloseOk:
            assembler.forget(channel: channel)
            return consumers.receive(method, channel: channel, at: now).map(Self.action)
        default:
            return consumers.receive(method, channel: channel, at: now).map(Self.action)
        }
    }

    private mutating func block(_ reason: String) -> [Action] {
        blockedReason = reason
        // The broker reads nothing more, so nobody can say when an answer would come.
        let error = AMQPError(.unconfirmed, "the broker blocked the connection before it confirmed: \(reason)")
        return [.blocked(reason: reason)] + tracker.takeAll().map { .answer($0, .failure(error)) }
    }

    private mutating func complete(_ content: ContentAssembler.Content?, _ channel: UInt16) -> [Action] {
        guard let content else { return [] }
        switch content.kind {
        case .returned(let code, let text):
            let error = AMQPError(.returned, "\(code) \(text)")
            return tracker.returned(messageID: content.properties.messageID).map { [.answer($0, .failure(error))] }
                ?? []
        case .delivery(let tag, let redelivered):
            guard let consumer = consumers.consumer(onChannel: channel) else { return [] }
            let properties = content.properties
            let message = Message(
                body: content.body, type: properties.type, messageID: properties.messageID,
                contentType: properties.contentType, headers: properties.headers, expiration: properties.expiration)
            let delivery = Delivery(
                message: message, tag: tag, redelivered: redelivered, streamOffset: properties.streamOffset,
                deliveryCount: properties.deliveryCount)
            return [.deliver(delivery, to: consumer)]
        }
    }

    private static func action(_ action: ConsumerChannels.Action) -> Action {
        switch action {
        case .send(let method, let channel): .send(method, channel: channel)
        case .started(let id): .started(id)
        case .ended(let id, let error): .ended(id, error)
        }
    }
}
