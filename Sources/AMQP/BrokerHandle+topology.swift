import CRabbitMQ

extension BrokerHandle {
    /// Opens `channel`, declares what is missing of the topology, and asks for confirms.
    ///
    /// Throws `channelClosed` with the broker's text where it refuses something.
    func prepare(channel: UInt16, _ topology: Topology) throws(AMQPError) {
        try openChannel(channel)
        for exchange in topology.exchanges {
            try declare("exchange \(exchange.name)", channel: channel) { passive in
                amqp_exchange_declare(
                    connection, channel, memory.bytes(exchange.name), memory.bytes(exchange.kind.rawValue), passive, 1,
                    0, 0, memory.table([:]))
            }
        }
        for queue in topology.queues {
            try declare("queue \(queue.name)", channel: channel) { passive in
                amqp_queue_declare(
                    connection, channel, memory.bytes(queue.name), passive, 1, 0, 0,
                    memory.table(passive == 0 ? queue.arguments : [:]))
            }
        }
        for binding in topology.bindings {
            // There is no passive form of it, and it is without effect where the binding exists.
            try answer("binding of \(binding.queue) to \(binding.exchange)") {
                amqp_queue_bind(
                    connection, channel, memory.bytes(binding.queue), memory.bytes(binding.exchange),
                    memory.bytes(binding.routingKey), memory.table([:]))
            }
        }
        try answer("confirms") { amqp_confirm_select(connection, channel) }
    }

    private func openChannel(_ channel: UInt16) throws(AMQPError) {
        try answer("channel") { amqp_channel_open(connection, channel) }
    }

    /// Asks first, and declares only what is not there. A declare of what exists costs a round through the cluster's
    /// metadata store, and is refused where an operator has changed an argument by hand.
    private func declare<Answer>(
        _ what: String, channel: UInt16, _ declare: (amqp_boolean_t) -> UnsafeMutablePointer<Answer>?
    ) throws(AMQPError) {
        defer { memory.recycle() }
        if call({ declare(1) }) != nil { return }
        let reply = amqp_get_rpc_reply(connection)
        if reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION,
            case .channelClose(code: 404, _) = incoming(reply.reply)
        {
            // The broker closes the channel to say so.
            try send(.channelCloseOk, channel: channel)
            try openChannel(channel)
            try answer(what) { declare(0) }
        } else {
            try check(reply, what)
        }
    }

    private func answer<Answer>(_ what: String, _ ask: () -> UnsafeMutablePointer<Answer>?) throws(AMQPError) {
        defer { memory.recycle() }
        if call(ask) == nil { try check(amqp_get_rpc_reply(connection), what) }
    }
}
