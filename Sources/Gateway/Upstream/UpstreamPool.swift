import NIOCore
import NIOPosix
import NIOSSL

/// The connections of one event loop to the endpoints. Used on that loop only, so it takes no lock.
final class UpstreamPool {
    struct Configuration: Sendable {
        var connectTimeout = TimeAmount.seconds(5)
        /// How long a connection may be idle if its endpoint does not say. uvicorn (vLLM, SGLang) and cpp-httplib
        /// (llama.cpp) close after 5 s, Node after 5 s: a request that is sent just then gets no answer.
        var idleLifetime = TimeAmount.seconds(4)
        /// Idle connections that are kept to one origin.
        var maximumIdle = 256
    }

    private let eventLoop: any EventLoop
    private let names: HostNames
    private let tls: NIOSSLContext
    private let configuration: Configuration
    private var origins: [Origin: IdleConnections] = [:]

    init(eventLoop: any EventLoop, names: HostNames, tls: NIOSSLContext, configuration: Configuration = .init()) {
        self.eventLoop = eventLoop
        self.names = names
        self.tls = tls
        self.configuration = configuration
    }

    /// The connections to `origin`, the same object as long as anybody holds it.
    func connections(to origin: Origin) -> IdleConnections {
        if let connections = origins[origin] { return connections }
        let connections = IdleConnections(origin: origin, configuration: configuration)
        origins[origin] = connections
        return connections
    }

    var originCount: Int { origins.count }

    /// Closes connections that have been idle for too long. Called every second or so.
    func closeExpired(_ now: NIODeadline) {
        var empty: [Origin] = []
        for (origin, connections) in origins {
            connections.closeExpired(now)
            if connections.isEmpty { empty.append(origin) }
        }
        for origin in empty { forgetUnused(origin) }
    }

    /// An origin whose endpoint is gone is held by nobody else.
    private func forgetUnused(_ origin: Origin) {
        guard var connections = origins.removeValue(forKey: origin) else { return }
        if !isKnownUniquelyReferenced(&connections) { origins[origin] = connections }
    }

    func closeAll() {
        for connections in origins.values { connections.closeAll() }
    }

    /// Makes a new connection. `completion` is called on this event loop, with a connection that is ready to be
    /// written to: over TLS, one whose handshake is over.
    func connect(
        _ connections: IdleConnections, completion: @escaping (Result<UpstreamHandler, ConnectFailure>) -> Void
    ) {
        let attempt = NIOLoopBound(ConnectAttempt(completion), eventLoop: eventLoop)
        let kept = NIOLoopBound(connections, eventLoop: eventLoop)
        let origin = connections.origin
        let tls = origin.isTLS ? self.tls : nil
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(configuration.connectTimeout)
            .resolver(HostNameResolver(names: names, eventLoop: eventLoop))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(Self.tlsHandler(tls, host: origin.host))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        UpstreamHandler(kept.value, attempt: attempt.value))
                }
            }
        let channel =
            SocketAddress.isAddress(origin.host)
            ? Self.connect(bootstrap, toAddress: origin)
            : bootstrap.connect(host: origin.host, port: origin.port)
        let deadline = eventLoop.scheduleTask(in: configuration.connectTimeout) {
            attempt.value.finish(.failure(ConnectFailure(step: .connect, description: "no connection in time")))
        }
        attempt.value.onFinish = { deadline.cancel() }
        channel.whenFailure { error in
            attempt.value.finish(.failure(ConnectFailure(connecting: error)))
        }
    }

    private static func connect(_ bootstrap: ClientBootstrap, toAddress origin: Origin) -> EventLoopFuture<any Channel>
    {
        do {
            return bootstrap.connect(to: try SocketAddress(ipAddress: origin.host, port: origin.port))
        } catch {
            // It was found to be an address just before; what the operating system says is the error.
            return bootstrap.connect(host: origin.host, port: origin.port)
        }
    }

    /// Certificates are checked against the host's name. An address has no name to send (RFC 6066, section 3), and its
    /// certificate is checked against the address.
    private static func tlsHandler(_ context: NIOSSLContext, host: String) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: SocketAddress.isAddress(host) ? nil : host)
    }
}

/// One attempt to connect: its result is told once, whoever knows it first.
final class ConnectAttempt {
    private var completion: ((Result<UpstreamHandler, ConnectFailure>) -> Void)?
    var onFinish: (() -> Void)?

    init(_ completion: @escaping (Result<UpstreamHandler, ConnectFailure>) -> Void) { self.completion = completion }

    var isOver: Bool { completion == nil }

    func finish(_ result: Result<UpstreamHandler, ConnectFailure>) {
        guard let completion else { return }
        self.completion = nil
        onFinish?()
        onFinish = nil
        completion(result)
    }
}

extension SocketAddress {
    /// Whether `text` is an IPv4 or IPv6 address and not a name.
    fileprivate static func isAddress(_ text: String) -> Bool {
        do {
            _ = try SocketAddress(ipAddress: text, port: 0)
            return true
        } catch {
            return false
        }
    }
}
