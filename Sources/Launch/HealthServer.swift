public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// Serves `GET /healthz` (the process is alive) and `GET /readyz` (it can do its work) for processes that serve no
/// other HTTP.
public struct HealthServer: Service {
    /// `ROLLCALL_HEALTH_PORT`: for the table of a process that has this server.
    public static let portSetting = Setting(
        name: "ROLLCALL_HEALTH_PORT", kind: "integer",
        meaning: "Port for GET /healthz and GET /readyz on all addresses; off by default.")

    /// Connections on which nothing comes for this long are closed. Probes come every few seconds, or connect anew.
    private static let idleTimeout = TimeAmount.seconds(30)

    private let host: String
    private let port: Int
    private let logger: Logger
    private let readiness: @Sendable () async -> Readiness
    private let onRunning: @Sendable (_ port: Int) async -> Void
    private let idleTimeout: TimeAmount

    /// - Parameters:
    ///   - port: 0 takes any free one, which `onRunning` gets to know
    ///   - readiness: asked for each request of `/readyz`
    public init(
        host: String = "0.0.0.0", port: Int, logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.init(
            host: host, port: port, logger: logger, idleTimeout: Self.idleTimeout, onRunning: onRunning,
            readiness: readiness)
    }

    init(
        host: String, port: Int, logger: Logger, idleTimeout: TimeAmount,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void,
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.host = host
        self.port = port
        self.logger = logger
        self.idleTimeout = idleTimeout
        self.onRunning = onRunning
        self.readiness = readiness
    }

    /// The port asked for by `ROLLCALL_HEALTH_PORT`, nil for no server.
    public static func port(_ settings: ProcessSettings) throws(SettingError) -> Int? {
        try settings.integer(portSetting, in: 1...65535)
    }

    /// Throws `ProcessExit` if the address cannot be listened on.
    public func run() async throws {
        let connections = OpenConnections()
        let listener = try await listen(connections)
        let port = listener.localAddress?.port ?? 0
        logger.info("Serving health checks", metadata: ["host": "\(host)", "port": "\(port)"])
        await onRunning(port)
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: the server ends all the same.
        }
        try await listener.close()
        connections.quiesce()
    }

    private func listen(_ connections: OpenConnections) async throws -> any Channel {
        let (readiness, idleTimeout, logger) = (readiness, idleTimeout, logger)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Assistance: one request at a time, and an orderly end when the server stops.
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withPipeliningAssistance: true, withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandlers([
                        IdleStateHandler(readTimeout: idleTimeout), HealthHandler(readiness: readiness),
                    ])
                    connections.add(channel)
                }
            }
        do {
            return try await bootstrap.bind(host: host, port: port).get()
        } catch {
            throw ProcessExit.cannotListen(host, port, portSetting: Self.portSetting.name, because: error)
        }
    }
}

/// The connections of a health server, which close when it stops.
private final class OpenConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        channels.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[id] = nil } }
    }

    /// Idle connections close at once, the others after their answer.
    func quiesce() {
        for channel in channels.withLock({ Array($0.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }
}
