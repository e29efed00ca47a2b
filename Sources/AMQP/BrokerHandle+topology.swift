import CRabbitMQ

extension BrokerHandle {
    /// A request that the broker has answered by closing the channel.
    struct Refusal {
        /// As in AMQP 0-9-1: 403 access refused, 404 not found, 406 precondition failed.
        var code: UInt16
        var text: String
    }

    /// Opens `channel`, declares and binds what is missing of the topology, and asks for confirms.
    ///
    /// Where all is there nothing is declared or bound, so that no right to do so is needed. A binding cannot be asked
    /// for: those are made that begin or end at what was missing, and all where `bindsAll`.
    ///
    /// Returns the bindings that `bindsAll` has tried and that the broker has refused; they may be there all the same.
    /// Throws `accessRefused` where something is missing that this user may not make, `channelClosed` with the broker's
    /// text where it refuses something for another reason.
    func prepare(channel: UInt16, _ topology: Topology, bindsAll: Bool) throws(AMQPError) -> [Binding] {
        try openChannel(channel)
        var made: Set<String> = []
        for exchange in topology.exchanges where try !isThere(exchange, channel: channel) {
            try expect(try declare(exchange, channel: channel), "exchange \(exchange.name)", topology)
            made.insert(exchange.name)
        }
        for queue in topology.queues where try !isThere(queue, channel: channel) {
            try expect(try declare(queue, channel: channel), "queue \(queue.name)", topology)
            made.insert(queue.name)
        }
        var refused: [Binding] = []
        for binding in topology.bindings {
            let isNew = made.contains(binding.queue) || made.contains(binding.exchange)
            guard isNew || bindsAll, let refusal = try bind(binding, channel: channel) else { continue }
            if isNew || refusal.code != 403 {
                try expect(refusal, "binding of \(binding.queue) to \(binding.exchange)", topology)
            }
            refused.append(binding)
        }
        try answer("confirms") { amqp_confirm_select(connection, channel) }
        return refused
    }

    func openChannel(_ channel: UInt16) throws(AMQPError) {
        try answer("channel") { amqp_channel_open(connection, channel) }
    }

    // MARK: One thing each

    /// Needs no right (https://www.rabbitmq.com/access-control.html), and so does not tell whether it is as wanted.
    func isThere(_ exchange: Exchange, channel: UInt16) throws(AMQPError) -> Bool {
        try isThere("exchange \(exchange.name)", channel) { passively(declare: exchange, 1, channel) }
    }

    func isThere(_ queue: Queue, channel: UInt16) throws(AMQPError) -> Bool {
        try isThere("queue \(queue.name)", channel) { passively(declare: queue, 1, channel) }
    }

    /// Without effect where it is there with the same arguments; refused with 406 where they differ.
    func declare(_ exchange: Exchange, channel: UInt16) throws(AMQPError) -> Refusal? {
        try attempt("exchange \(exchange.name)", channel) { passively(declare: exchange, 0, channel) }
    }

    func declare(_ queue: Queue, channel: UInt16) throws(AMQPError) -> Refusal? {
        try attempt("queue \(queue.name)", channel) { passively(declare: queue, 0, channel) }
    }

    /// There is no passive form of it, and it is without effect where the binding exists.
    func bind(_ binding: Binding, channel: UInt16) throws(AMQPError) -> Refusal? {
        try attempt("binding of \(binding.queue)", channel) {
            amqp_queue_bind(
                connection, channel, memory.bytes(binding.queue), memory.bytes(binding.exchange),
                memory.bytes(binding.routingKey), memory.table([:]))
        }
    }

    private func passively(
        declare exchange: Exchange, _ passive: amqp_boolean_t, _ channel: UInt16
    ) -> UnsafeMutablePointer<amqp_exchange_declare_ok_t>? {
        amqp_exchange_declare(
            connection, channel, memory.bytes(exchange.name), memory.bytes(exchange.kind.rawValue), passive, 1, 0, 0,
            memory.table([:]))
    }

    private func passively(
        declare queue: Queue, _ passive: amqp_boolean_t, _ channel: UInt16
    ) -> UnsafeMutablePointer<amqp_queue_declare_ok_t>? {
        amqp_queue_declare(
            connection, channel, memory.bytes(queue.name), passive, 1, 0, 0,
            memory.table(passive == 0 ? queue.arguments : [:]))
    }

    // MARK: Answers

    /// Asking first is not only for the rights: a declare of what exists costs a round through the cluster's metadata
    /// store, and is refused where an operator has changed an argument by hand.
    private func isThere<Answer>(
        _ what: String, _ channel: UInt16, _ ask: () -> UnsafeMutablePointer<Answer>?
    ) throws(AMQPError) -> Bool {
        guard let refusal = try attempt(what, channel, ask) else { return true }
        if refusal.code == 404 { return false }
        throw Self.error(refusal, what)
    }

    /// nil where it was done. Where it was refused, the broker has closed the channel, and it is open again.
    func attempt<Answer>(
        _ what: String, _ channel: UInt16, _ ask: () -> UnsafeMutablePointer<Answer>?
    ) throws(AMQPError) -> Refusal? {
        defer { memory.recycle() }
        if call(ask) != nil { return nil }
        let reply = amqp_get_rpc_reply(connection)
        guard reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION,
            case .channelClose(let code, let text) = incoming(reply.reply)
        else {
            try check(reply, what)
            return nil
        }
        try send(.channelCloseOk, channel: channel)
        try openChannel(channel)
        return Refusal(code: code, text: text)
    }

    private func expect(_ refusal: Refusal?, _ what: String, _ topology: Topology) throws(AMQPError) {
        guard let refusal else { return }
        guard refusal.code == 403 else { throw Self.error(refusal, what) }
        let remedy = topology.remedy.map { "; \($0)" } ?? ""
        throw AMQPError(.accessRefused, "the \(what) is missing, and this user may not make it\(remedy)")
    }

    private static func error(_ refusal: Refusal, _ what: String) -> AMQPError {
        AMQPError(refusal.code == 403 ? .accessRefused : .channelClosed, "\(what): \(refusal.code) \(refusal.text)")
    }

    private func answer<Answer>(_ what: String, _ ask: () -> UnsafeMutablePointer<Answer>?) throws(AMQPError) {
        defer { memory.recycle() }
        if call(ask) == nil { try check(amqp_get_rpc_reply(connection), what) }
    }
}
