import Threads

/// One connection from its login to its end: carries out on librabbitmq what `SessionState` says. Confined to the
/// connection's thread.
final class Session {
    private struct Receipt {
        let publish: PublishReceipt
        let bytes: Int
        /// Its binding is one of the topology's, so that it can only come back where that is gone.
        let isBound: Bool
    }

    private let broker: BrokerHandle
    private let mailbox: Mailbox
    private let configuration: ConnectionConfiguration
    /// Queues that every connection declares.
    private let declaredQueues: Set<String>
    /// By the exchange: the routing keys that it has bindings for.
    private let boundKeys: [String: Set<String>]
    private var state: SessionState<Receipt>
    private var consumers: [UInt64: Consumer] = [:]
    /// Taken from the mailbox and not carried out yet.
    private var commands: ArraySlice<Mailbox.Command> = []

    init(
        _ broker: BrokerHandle, _ mailbox: Mailbox, _ configuration: ConnectionConfiguration, _ topology: Topology
    ) {
        self.broker = broker
        self.mailbox = mailbox
        self.configuration = configuration
        declaredQueues = Set(topology.queues.map(\.name))
        boundKeys = Dictionary(topology.bindings.map { ($0.exchange, [$0.routingKey]) }) { $0.union($1) }
        state = SessionState(
            maximumChannel: broker.maximumChannel, callTimeout: min(configuration.callTimeout, broker.heartbeat * 2))
    }

    /// Works until the connection is lost or is to stop. Nothing is left waiting when it returns.
    ///
    /// Returns why it was lost; nil where it was stopped.
    func run() -> AMQPError? {
        do throws(AMQPError) {
            try work()
        } catch {
            end(error, .disconnected(reason: error.message))
            return error
        }
        if mailbox.stop == .graceful, state.blockedReason == nil { broker.close(timeout: .seconds(1)) }
        end(AMQPError(.stopped, "the connection has been stopped"), .stopped)
        return nil
    }

    private func work() throws(AMQPError) {
        // Often enough for the library to send our heartbeats in time, and to see within 2.5 of them that the peer's
        // are missing: it looks for that only when it is called, and from two on.
        let turn = broker.heartbeat / 4
        var drainDeadline: ContinuousClock.Instant?
        while true {
            commands = mailbox.takeCommands()[...]
            while let command = commands.popFirst() { try carryOut(command) }
            try readAll()
            let now = ContinuousClock.now
            try perform(state.advance(to: now))
            switch mailbox.stop {
            case .immediate: return
            case .graceful:
                let deadline = drainDeadline ?? now + configuration.drainTimeout
                drainDeadline = deadline
                if state.unconfirmed == 0 || now >= deadline { return }
            case nil: break
            }
            let deadlines = [now + turn, drainDeadline, state.nextDeadline].compactMap { $0 }
            mailbox.wakeup.wait(orInputOn: broker.socket, until: deadlines.min())
        }
    }

    /// Reads until nothing is left: frames, or bytes of TLS, that are in a buffer already wake no `poll`.
    private func readAll() throws(AMQPError) {
        while let frame = try broker.nextFrame() {
            try perform(state.receive(frame, at: .now))
        }
    }

    private func carryOut(_ command: Mailbox.Command) throws(AMQPError) {
        switch command {
        case .publish(let publish): try carryOut(publish)
        case .subscribe(let consumer):
            if consumer.hasEnded {
                consumer.released.resolve(())
                return
            }
            consumers[consumer.id] = consumer
            try perform(state.subscribe(consumer.request, at: .now))
        case .acknowledge(let tag, let consumer): try perform(state.acknowledge(tag: tag, of: consumer))
        case .reject(let tag, let requeue, let consumer):
            try perform(state.reject(tag: tag, requeue: requeue, of: consumer))
        case .cancel(let consumer):
            if consumers[consumer.id] == nil { consumer.released.resolve(()) }
            try perform(state.cancel(consumer.id, at: .now))
        }
    }

    private func carryOut(_ publish: PendingPublish) throws(AMQPError) {
        // Serves the heartbeats, and lets us hear that we are blocked.
        do throws(AMQPError) {
            try readAll()
        } catch {
            refuse(publish, AMQPError(.notConnected, error.message))
            throw error
        }
        if let reason = state.blockedReason {
            refuse(publish, AMQPError(.blocked, reason))
        } else if publish.deadline <= .now {
            refuse(publish, AMQPError(.notConnected, "it could not be sent in time"))
        } else {
            let receipt = Receipt(
                publish: publish.receipt, bytes: publish.message.body.count,
                isBound: boundKeys[publish.exchange]?.contains(publish.routingKey) == true)
            state.published(receipt, messageID: publish.message.messageID, deadline: publish.deadline)
            try broker.publish(publish, channel: SessionState<Receipt>.publishingChannel)
        }
    }

    private func perform(_ actions: [SessionState<Receipt>.Action]) throws(AMQPError) {
        for action in actions {
            switch action {
            case .send(let method, let channel): try broker.send(method, channel: channel)
            case .answer(let receipt, let result):
                answer(receipt, result)
                if receipt.isBound, case .failure(let error) = result, error.code == .returned {
                    // A new connection makes the binding again.
                    throw AMQPError(.bindingMissing, "an exchange gives back what is published to it: \(error.message)")
                }
            case .started(let id): consumers[id]?.started.resolve(.success(()))
            case .deliver(let delivery, let id): consumers[id]?.deliver(delivery)
            case .ended(let id, let error):
                guard let consumer = consumers.removeValue(forKey: id) else { break }
                Self.end(consumer, error)
                if error?.code == .cancelled, declaredQueues.contains(consumer.queue) {
                    // A new connection declares it again.
                    throw AMQPError(.connectionLost, "the queue \(consumer.queue) is gone")
                }
            case .blocked(let reason):
                mailbox.report(.blocked(reason: reason))
                configuration.observer(.blocked(reason: reason))
            case .unblocked:
                mailbox.report(.connected)
                configuration.observer(.unblocked)
            case .lost(let error): throw error
            }
        }
    }

    private func answer(_ receipt: Receipt, _ result: Result<Void, AMQPError>) {
        mailbox.release(bytes: receipt.bytes)
        receipt.publish.answer.resolve(result)
    }

    private func refuse(_ publish: PendingPublish, _ error: AMQPError) {
        mailbox.release(bytes: publish.message.body.count)
        publish.receipt.answer.resolve(.failure(error))
    }

    private static func end(_ consumer: Consumer, _ error: AMQPError?) {
        let result: Result<Void, AMQPError> = error.map { .failure($0) } ?? .success(())
        consumer.end(result)
        consumer.started.resolve(.failure(error ?? AMQPError(.stopped, "the subscription was cancelled")))
        consumer.released.resolve(())
    }

    /// First the status, so that whoever hears of a lost message and sends it again is told that there is no
    /// connection; then the answers.
    private func end(_ error: AMQPError, _ status: ConnectionStatus) {
        let untouched = commands.compactMap { command -> Consumer? in
            if case .subscribe(let consumer) = command, !consumer.hasEnded { consumer } else { nil }
        }
        let waiting = Array(commands) + mailbox.disconnect(status, keeping: status == .stopped ? [] : untouched)
        commands = []
        for command in waiting {
            switch command {
            case .publish(let publish):
                let code: AMQPError.Code = error.code == .stopped ? .stopped : .notConnected
                refuse(publish, AMQPError(code, error.message))
            case .subscribe(let consumer): if status == .stopped { Self.end(consumer, error) }
            case .cancel(let consumer): consumer.released.resolve(())
            case .acknowledge, .reject: break
            }
        }
        for case .answer(let receipt, let result) in state.end(error.message) { answer(receipt, result) }
        let lost = error.code == .stopped ? error : AMQPError(.connectionLost, error.message)
        for consumer in consumers.values { Self.end(consumer, lost) }
        consumers = [:]
    }
}
