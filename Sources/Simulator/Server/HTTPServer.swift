import Launch
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// An HTTP/1.1 server without TLS, whose answers may break the protocol as simulated faults want it.
struct HTTPServer: Service {
    let host: String
    /// 0 takes any free port, which `onRunning` gets.
    let port: Int
    let logger: Logger
    var onRunning: @Sendable (_ port: Int) -> Void = { _ in }
    let respond: @Sendable (Request) async throws -> Response

    /// Serves until the graceful shutdown, or until it is cancelled. Answers that are being made then are still sent.
    func run() async throws {
        let connections = OpenConnections()
        let listener = try await listen { connection in
            connections.start(connection.client) { await connection.serve(logger: logger, respond) }
        }
        let port = listener.localAddress?.port ?? port
        logger.info("Serving HTTP", metadata: ["host": "\(host)", "port": "\(port)"])
        onRunning(port)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await listener.closeFuture.get()
            await connections.ended()
        } onCancelOrGracefulShutdown: {
            listener.close(promise: nil)
            connections.stop()
        }
    }

    /// `serve` takes each connection in its first moment. It may not drop one: NIO ends the process if an asynchronous
    /// channel is dropped that nobody has used, and a stream of connections drops those that come as it ends.
    private func listen(_ serve: @escaping @Sendable (ServerConnection) -> Void) async throws -> any Channel {
        let logger = logger
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrors(logger: logger))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { serve(try ServerConnection(channel)) }
            }
        do {
            return try await bootstrap.bind(host: host, port: port).get()
        } catch {
            throw ProcessExit.cannotListen(
                host, port, portSetting: SimulatorSettings.port.name, hostSetting: SimulatorSettings.host.name,
                because: error)
        }
    }
}

/// Keeps a server listening that could not accept a connection, such as one for which there is no file descriptor.
private final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.warning("A connection could not be accepted", metadata: ["error": "\(error)"])
    }
}

/// The connections of a server, which end when it stops.
private final class OpenConnections: Sendable {
    private struct State {
        var open: [ObjectIdentifier: (client: ClientConnection, task: Task<Void, Never>)] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    /// Runs `serve` in a task of its own. The connection is open until that returns.
    func start(_ client: ClientConnection, _ serve: @escaping @Sendable () async -> Void) {
        let id = ObjectIdentifier(client)
        let isStopping = state.withLock { state in
            // The task that ends at once waits for this lock.
            let task = Task {
                await serve()
                _ = self.state.withLock { $0.open.removeValue(forKey: id) }
            }
            state.open[id] = (client, task)
            return state.isStopping
        }
        if isStopping { client.stop() }
    }

    func stop() {
        let clients = state.withLock { state in
            state.isStopping = true
            return state.open.values.map(\.client)
        }
        for client in clients { client.stop() }
    }

    /// Waits until none is open. If the caller is cancelled the connections are as well.
    func ended() async {
        await withTaskCancellationHandler {
            while let task = state.withLock({ $0.open.values.first?.task }) { await task.value }
        } onCancel: {
            for (_, task) in state.withLock({ Array($0.open.values) }) { task.cancel() }
        }
    }
}
