import CRabbitMQ
import Glibc

/// librabbitmq's handle. It is made on the connection's thread and never leaves it: it is not `Sendable`.
///
/// SIGPIPE needs no care: 0.11 writes with MSG_NOSIGNAL, also under TLS.
final class BrokerHandle {
    let connection: amqp_connection_state_t
    let memory = LibraryMemory()
    private let url: BrokerURL
    private let callLimit: Duration
    private let watchPeriod: Duration
    private var watch: Watchdog.Guard?

    /// Connects and logs in.
    static func open(
        _ url: BrokerURL, _ configuration: ConnectionConfiguration
    ) throws(AMQPError) -> BrokerHandle {
        guard let connection = amqp_new_connection() else {
            throw AMQPError(.connectionLost, "no memory for a connection")
        }
        let handle = BrokerHandle(connection, url, configuration)
        try handle.openSocket(configuration)
        try handle.logIn(configuration)
        return handle
    }

    private init(_ connection: amqp_connection_state_t, _ url: BrokerURL, _ configuration: ConnectionConfiguration) {
        self.connection = connection
        self.url = url
        let heartbeat = Duration.seconds(configuration.heartbeatSeconds)
        callLimit = min(configuration.callTimeout, heartbeat * 2)
        watchPeriod = min(heartbeat / 8, .seconds(1))
    }

    /// Without the closing handshake, which after an error could only block.
    deinit {
        amqp_destroy_connection(connection)
        if let watch { Watchdog.shared.remove(watch) }
    }

    var socket: Int32 { amqp_get_sockfd(connection) }

    var maximumChannel: UInt16 { UInt16(clamping: amqp_get_channel_max(connection)) }

    /// What was agreed with the broker.
    var heartbeat: Duration { .seconds(max(1, amqp_get_heartbeat(connection))) }

    /// Makes a call into the library, which the watchdog ends when it overruns.
    func call<Value>(_ body: () -> Value) -> Value {
        watch?.during(body) ?? body()
    }

    /// The closing handshake, for at most `timeout`.
    func close(timeout: Duration) {
        var limit = timeval(timeout)
        amqp_set_rpc_timeout(connection, &limit)
        // The handle is destroyed next, whatever the broker answers.
        _ = call { amqp_connection_close(connection, AMQP_REPLY_SUCCESS) }
    }

    // MARK: Connecting

    private func openSocket(_ configuration: ConnectionConfiguration) throws(AMQPError) {
        let socket = url.isSecure ? amqp_ssl_socket_new(connection) : amqp_tcp_socket_new(connection)
        guard let socket else { throw AMQPError(.connectionLost, "no memory for a socket") }
        if url.isSecure {
            amqp_ssl_socket_set_verify_peer(socket, 1)
            amqp_ssl_socket_set_verify_hostname(socket, 1)
            try check(amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST), "TLS")
            guard let tls = configuration.tls else {
                throw AMQPError(.configuration, "a broker URL with amqps:// needs a CA file")
            }
            if amqp_ssl_socket_set_cacert(socket, tls.caFile) != AMQP_STATUS_OK.rawValue {
                throw AMQPError(.configuration, "the CA file cannot be used")
            }
        }
        var timeout = timeval(configuration.connectTimeout)
        try checkConnected(amqp_socket_open_noblock(socket, url.host, Int32(url.port), &timeout))
        watch = Watchdog.shared.add(socket: self.socket, limit: callLimit, period: watchPeriod)
        if watch == nil { throw AMQPError(.connectionLost, "no descriptor is left") }
    }

    private func logIn(_ configuration: ConnectionConfiguration) throws(AMQPError) {
        var timeout = timeval(callLimit)
        try check(amqp_set_handshake_timeout(connection, &timeout), "login")
        try check(amqp_set_rpc_timeout(connection, &timeout), "login")
        defer { memory.recycle() }
        // The library replaces its own table by this one, so this names all that it does.
        let capabilities = memory.table(
            [
                "authentication_failure_close", "basic.nack", "connection.blocked", "consumer_cancel_notify",
                "exchange_exchange_bindings", "publisher_confirms",
            ].map { ($0, memory.value(.bool(true))) })
        var properties = memory.table([
            ("capabilities", memory.value(capabilities)),
            ("connection_name", memory.value(.string(configuration.name))),
            ("product", memory.value(.string("Rollcall"))),
        ])
        let reply = call {
            rollcall_amqp_login_plain(
                connection, url.vhost, 0, 131_072, Int32(configuration.heartbeatSeconds), &properties, url.user,
                url.password)
        }
        try check(reply, "login")
    }

    // MARK: Errors

    /// The library's own words for these tell nobody what to do, such as "a socket error occurred" for a refused connection.
    private func checkConnected(_ status: Int32) throws(AMQPError) {
        let problem: String? =
            switch status {
            case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED.rawValue: "the host name cannot be resolved"
            case AMQP_STATUS_SOCKET_ERROR.rawValue: "the connection is refused, or there is no route to the host"
            case AMQP_STATUS_TIMEOUT.rawValue: "the host does not answer in time"
            case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue: "the certificate is another host's"
            case AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue: "the certificate is not trusted"
            case AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
                "the TLS handshake failed: the certificate is not trusted, or the port does not speak TLS"
            default: nil
            }
        if let problem { throw AMQPError(.connectionLost, problem) }
        try check(status, "connect")
    }

    func check(_ status: Int32, _ what: StaticString) throws(AMQPError) {
        if status == AMQP_STATUS_OK.rawValue { return }
        let isBroken = status == AMQP_STATUS_SOCKET_ERROR.rawValue
        throw AMQPError(
            .connectionLost,
            "\(what): \(isBroken ? "the connection broke" : String(cString: amqp_error_string2(status)))")
    }

    /// Throws `channelClosed` where the broker closed the channel, and `connectionLost` for all else.
    func check(_ reply: amqp_rpc_reply_t, _ what: String) throws(AMQPError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL:
            return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            switch incoming(reply.reply) {
            case .channelClose(let code, let text):
                throw AMQPError(.channelClosed, "\(what): \(code) \(text)")
            case .connectionClose(let code, let text):
                // 530: the user may not use this vhost, or there is none of that name.
                let isRefusal = code == 403 || code == 530
                throw AMQPError(isRefusal ? .accessRefused : .connectionLost, "\(what): \(code) \(text)")
            default:
                throw AMQPError(.connectionLost, "\(what): the broker gave an unexpected answer")
            }
        default:
            throw AMQPError(.connectionLost, "\(what): \(String(cString: amqp_error_string2(reply.library_error)))")
        }
    }

    /// Some of the broker's texts name the user.
    func withoutCredentials(_ text: String) -> String {
        let quoted = "'\(url.user)'"
        guard let range = text.firstRange(of: quoted) else { return text }
        return withoutCredentials(text.replacingCharacters(in: range))
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>) -> String {
        var copy = self
        copy.replaceSubrange(range, with: "…")
        return copy
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}

extension ConnectionConfiguration {
    /// AMQP counts heartbeats in whole seconds, and 0 would mean none at all.
    var heartbeatSeconds: Int { Int(max(1, min(heartbeat.components.seconds, 600))) }
}
