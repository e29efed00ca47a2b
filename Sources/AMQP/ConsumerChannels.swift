/// The channels of the subscriptions of one session, each from its opening to its closing.
struct ConsumerChannels {
    /// Names a subscription beyond the life of its channel, whose number is used again.
    typealias ConsumerID = UInt64

    enum Action {
        case send(OutgoingMethod, channel: UInt16)
        case started(ConsumerID)
        /// The channel is over: with an error, or as asked.
        case ended(ConsumerID, AMQPError?)
    }

    struct Request {
        var id: ConsumerID
        var queue: String
        var prefetch: UInt16
        var arguments: [String: FieldValue]
    }

    private enum Phase {
        case opening, settingPrefetch, starting, consuming
        /// We have asked to close it. Everything but the close is to be ignored (AMQP 0-9-1, channel.close).
        case closing(AMQPError?)
    }

    private struct Channel {
        let request: Request
        var phase: Phase
        /// When the broker must have answered; nil where nothing is asked.
        var deadline: ContinuousClock.Instant?
    }

    let callTimeout: Duration
    /// The highest number the broker allows.
    let maximumChannel: UInt16
    /// The first number that is not used for something else.
    let firstChannel: UInt16
    private var channels: [UInt16: Channel] = [:]
    private var numbers: [ConsumerID: UInt16] = [:]

    init(firstChannel: UInt16, maximumChannel: UInt16, callTimeout: Duration) {
        self.firstChannel = firstChannel
        self.maximumChannel = maximumChannel
        self.callTimeout = callTimeout
    }

    var isEmpty: Bool { channels.isEmpty }

    mutating func open(_ request: Request, at now: ContinuousClock.Instant) -> Action {
        // The lowest free number: the library keeps a pool of memory for each number that was ever used.
        guard let number = (firstChannel...maximumChannel).first(where: { channels[$0] == nil }) else {
            return .ended(request.id, AMQPError(.channelClosed, "the broker allows no more channels"))
        }
        channels[number] = Channel(request: request, phase: .opening, deadline: now + callTimeout)
        numbers[request.id] = number
        return .send(.channelOpen, channel: number)
    }

    mutating func close(_ id: ConsumerID, at now: ContinuousClock.Instant) -> Action? {
        guard let number = numbers[id] else { return nil }
        if case .closing = channels[number]?.phase { return nil }
        return close(number, error: nil, at: now)
    }

    /// The broker has answered, or cancelled the consumer.
    mutating func receive(_ method: IncomingMethod, channel number: UInt16, at now: ContinuousClock.Instant) -> [Action]
    {
        guard let channel = channels[number] else { return [] }
        switch (channel.phase, method) {
        case (.closing(let error), .channelCloseOk):
            return [end(number, error)]
        case (.closing, .channelClose):
            // Both closed at once: the broker still answers ours.
            return [.send(.channelCloseOk, channel: number)]
        case (_, .channelClose(let code, let text)):
            let error = AMQPError(code == 404 ? .cancelled : .channelClosed, "\(code) \(text)")
            return [.send(.channelCloseOk, channel: number), end(number, error)]
        case (.opening, .channelOpenOk):
            advance(number, to: .settingPrefetch, deadline: now + callTimeout)
            return [.send(.qos(prefetch: channel.request.prefetch), channel: number)]
        case (.settingPrefetch, .qosOk):
            advance(number, to: .starting, deadline: now + callTimeout)
            let request = channel.request
            return [.send(.consume(queue: request.queue, arguments: request.arguments), channel: number)]
        case (.starting, .consumeOk):
            advance(number, to: .consuming, deadline: nil)
            return [.started(channel.request.id)]
        case (.starting, .cancel), (.consuming, .cancel):
            let error = AMQPError(.cancelled, "the broker cancelled the consumer: its queue was deleted or has failed")
            return [close(number, error: error, at: now)]
        default:
            return []
        }
    }

    /// Who gets a message that came on this channel; nil where nobody waits for it any more.
    func consumer(onChannel number: UInt16) -> ConsumerID? {
        guard let channel = channels[number] else { return nil }
        if case .closing = channel.phase { return nil }
        return channel.request.id
    }

    /// Where to acknowledge for this consumer; nil where its channel is gone and an ack would be for another one.
    func channel(of id: ConsumerID) -> UInt16? {
        guard let number = numbers[id], case .consuming = channels[number]?.phase else { return nil }
        return number
    }

    /// The broker owes an answer since this time; nil where it owes none.
    var nextDeadline: ContinuousClock.Instant? { channels.values.compactMap(\.deadline).min() }

    private mutating func advance(_ number: UInt16, to phase: Phase, deadline: ContinuousClock.Instant?) {
        channels[number]?.phase = phase
        channels[number]?.deadline = deadline
    }

    private mutating func close(_ number: UInt16, error: AMQPError?, at now: ContinuousClock.Instant) -> Action {
        advance(number, to: .closing(error), deadline: now + callTimeout)
        return .send(.channelClose, channel: number)
    }

    private mutating func end(_ number: UInt16, _ error: AMQPError?) -> Action {
        let id = channels.removeValue(forKey: number)?.request.id ?? 0
        numbers[id] = nil
        return .ended(id, error)
    }
}
