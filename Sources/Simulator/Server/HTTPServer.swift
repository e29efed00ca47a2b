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
        let listener = try await listen()
        let port = listener.channel.localAddress?.port ?? port
        logger.info("Serving HTTP", metadata: ["host": "\(host)", "port": "\(port)"])
        onRunning(port)
        let connections = OpenConnections()
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                try await listener.executeThenClose { inbound in
                    for try await connection in inbound {
                        group.addTask {
                            connections.add(connection.client)
                            await connection.serve(logger: logger, respond)
                            connections.remove(connection.client)
                        }
                    }
                }
            }
        } onCancelOrGracefulShutdown: {
            listener.channel.close(promise: nil)
            connections.stop()
        }
    }

    private func listen() async throws -> NIOAsyncChannel<ServerConnection, Never> {
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
        do {
            return try await bootstrap.bind(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try ServerConnection(channel) }
            }
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
        var clients: [ObjectIdentifier: ClientConnection] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    func add(_ client: ClientConnection) {
        let isStopping = state.withLock { state in
            state.clients[ObjectIdentifier(client)] = client
            return state.isStopping
        }
        if isStopping { client.stop() }
    }

    func remove(_ client: ClientConnection) {
        _ = state.withLock { $0.clients.removeValue(forKey: ObjectIdentifier(client)) }
    }

    func stop() {
        let clients = state.withLock { state in
            state.isStopping = true
            return Array(state.clients.values)
        }
        for client in clients { client.stop() }
    }
}
