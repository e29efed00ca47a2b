import Catalog
import Glibc
import Launch
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// How long a client may take.
struct ClientTimeouts: Sendable, Hashable {
    /// For the next request to begin.
    var idle = TimeAmount.seconds(60)
    /// From the first byte of a request's head to its last.
    var head = TimeAmount.seconds(30)
    /// For the body of a request to the control plane.
    var body = TimeAmount.seconds(30)
    /// Without taking a byte of what was written to it.
    var stalledReader = TimeAmount.seconds(120)
}

/// What all client connections share.
final class GatewayServerCore: Sendable {
    let responder: GatewayResponder
    let inference: InferenceCore
    let drain: Drain
    let timeouts: ClientTimeouts
    /// nil: requests get no lines.
    let accessLog: AccessLog?
    let connections = OpenConnections()

    init(
        responder: GatewayResponder, inference: InferenceCore, drain: Drain, timeouts: ClientTimeouts,
        accessLog: AccessLog? = nil
    ) {
        self.responder = responder
        self.inference = inference
        self.drain = drain
        self.timeouts = timeouts
        self.accessLog = accessLog
    }
}

/// Counts the open connections, for a stop to wait until there is none.
final class OpenConnections: Sendable {
    private struct State {
        var count = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func opened() { state.withLock { $0.count += 1 } }

    func closed() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    var count: Int { state.withLock(\.count) }

    /// Returns once no connection is open.
    func none() async {
        await withCheckedContinuation { continuation in
            let isNone = state.withLock { state in
                if state.count > 0 { state.waiting.append(continuation) }
                return state.count == 0
            }
            if isNone { continuation.resume() }
        }
    }
}

/// The HTTP server of one process: listens, and keeps what belongs to each event loop.
final class GatewayServer: Sendable {
    struct Configuration: Sendable {
        var host = "127.0.0.1"
        /// 0: the system chooses.
        var port = 0
        /// Event loops, each on a thread of its own.
        var threads = System.coreCount
        /// nil: plain HTTP.
        var tls: ServerCertificates?
        /// Certificates (PEM) of authorities that endpoints' certificates may be from, besides the system's.
        var endpointAuthorities: String?
        var upstream = UpstreamPool.Configuration()
        /// False only in a test, which compares what `RequestGate` answers with what the decoder's path answers.
        var answersListsAtTheGate = true
    }

    private typealias Loops = [ObjectIdentifier: NIOLoopBound<LoopContext>]

    let core: GatewayServerCore
    private let keyRing: KeyRing?
    private let configuration: Configuration
    private let group: MultiThreadedEventLoopGroup
    private let names = HostNames()
    private let endpointTLS: NIOSSLContext
    private let loops = Mutex<Loops>([:])
    private let listener = Mutex<(any Channel)?>(nil)

    /// Throws if a certificate's file cannot be read.
    ///
    /// - Parameter keyRing: unseals the endpoints' keys; nil: endpoints that need a key cannot be used
    init(core: GatewayServerCore, keyRing: KeyRing?, configuration: Configuration) throws {
        self.core = core
        self.keyRing = keyRing
        self.configuration = configuration
        endpointTLS = try NIOSSLContext(configuration: Self.endpointTLS(configuration.endpointAuthorities))
        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
    }

    private static func endpointTLS(_ file: String?) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let file { configuration.additionalTrustRoots = [.file(file)] }
        return configuration
    }

    /// Listens. Gives the address, with the port that the system has chosen.
    func listen() async throws -> SocketAddress? {
        let loops = try await makeLoops()
        self.loops.withLock { $0 = loops }
        let core = core
        let certificates = configuration.tls
        // What the gate answers is not taken apart, so it would have no line.
        let answersLists = configuration.answersListsAtTheGate && core.accessLog == nil
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: core.responder.logger))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    if let certificates {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: certificates.context))
                    }
                    try channel.pipeline.syncOperations.addGatewayHandlers(
                        core, loop.value, answersListsAtTheGate: answersLists)
                }
            }
            .bind(host: configuration.host, port: configuration.port).get()
        listener.withLock { $0 = channel }
        return channel.localAddress
    }

    /// What belongs to an event loop is made on it.
    private func makeLoops() async throws -> Loops {
        var loops: Loops = [:]
        for eventLoop in group.makeIterator() {
            let made = eventLoop.submit { [self] in
                let pool = UpstreamPool(
                    eventLoop: eventLoop, names: names, tls: endpointTLS, configuration: configuration.upstream)
                return NIOLoopBound(
                    LoopContext(eventLoop: eventLoop, pool: pool, keyRing: keyRing), eventLoop: eventLoop)
            }
            loops[ObjectIdentifier(eventLoop)] = try await made.get()
        }
        return loops
    }

    /// Stops listening. Each connection closes as soon as nothing is in flight on it.
    func quiesce() async {
        let channel = listener.withLock { $0.take() }
        do {
            try await channel?.close()
        } catch {
            // It was closed already.
        }
        await onEachLoop { loop in
            for case let handler as ClientHandler in loop.connections.members { handler.quiesce() }
        }
    }

    /// Ends what is still in flight, as an error. Gives the number of requests that were cut off.
    func cut() async -> Int {
        let count = Mutex(0)
        await onEachLoop { loop in
            var cut = 0
            for case let exchange as Exchange in loop.exchanges.members where exchange.cut() { cut += 1 }
            count.withLock { [cut] in $0 += cut }
        }
        return count.withLock { $0 }
    }

    /// Closes every connection, whatever happens on it.
    func abandon() async {
        await onEachLoop { loop in
            for case let handler as ClientHandler in loop.connections.members { handler.abandon() }
        }
    }

    /// Ends the event loops. Call it when no connection is open any more.
    func shutdown() async throws {
        await onEachLoop { $0.shutdown() }
        names.shutdown()
        try await group.shutdownGracefully()
    }

    private func onEachLoop(_ body: @escaping @Sendable (LoopContext) -> Void) async {
        for (_, loop) in loops.withLock({ $0 }) {
            let done = loop.eventLoop.submit { body(loop.value) }
            do {
                try await done.get()
            } catch {
                // The loop has ended, and its connections with it.
            }
        }
    }
}

extension ChannelPipeline.SynchronousOperations {
    func addGatewayHandlers(_ core: GatewayServerCore, _ loop: LoopContext, answersListsAtTheGate: Bool) throws {
        let client = ClientHandler(gateway: core, loop: loop)
        try addHandler(RequestGate(client: client, answersLists: answersListsAtTheGate))
        try addHandler(client)
        try addRequestDecoder(before: client)
    }

    private func addRequestDecoder(before client: ClientHandler) throws {
        let decoder = Self.requestDecoder()
        try addHandler(decoder, position: .before(client))
        client.decoder = decoder
    }

    private static func requestDecoder() -> ByteToMessageHandler<HTTPRequestDecoder> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 64 << 10
        limits.maxHeaderListSize = 64 << 10
        // What a decoder leaves behind an offer of an upgrade goes to the one that takes its place.
        return ByteToMessageHandler(
            HTTPRequestDecoder(
                leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
                limitConfiguration: limits))
    }

    /// Puts a new decoder behind the client's, and takes that one out. `left` is called when it has given all that it held
    /// to the new one.
    func replaceRequestDecoder(of client: ClientHandler, left: @escaping () -> Void) throws {
        guard let stopped = client.decoder else { return }
        let old = try context(handler: stopped)
        try addRequestDecoder(before: client)
        let removed = old.eventLoop.makePromise(of: Void.self)
        removed.futureResult.assumeIsolated().whenComplete { _ in left() }
        removeHandler(context: old, promise: removed)
    }
}
