import Launch
import Logging
import NIOCore
import ServiceLifecycle

/// The HTTP server as a service. Says where it listens once it does, also if the system has chosen the port (0).
struct HTTPService: Service, CustomStringConvertible {
    let server: GatewayServer
    /// For messages: what was asked for.
    let host: String
    let port: Int
    /// How long a stop may take in all.
    let drainLimit: Duration
    let stop: StopRequest
    let logger: Logger

    /// What the service group logs of it: never what it is made of, keys among that.
    var description: String { "HTTPService(\(host):\(port))" }

    /// Serves until it is asked to stop and what is in flight has been answered, or its time is up.
    ///
    /// Throws `ProcessExit` if the address cannot be had.
    func run() async throws {
        try await listen()
        // Ends when the service is asked to stop, or cancelled.
        await cancelWhenGracefulShutdown { await Self.untilCancelled() }
        await drain()
        try await server.shutdown()
    }

    private func listen() async throws {
        do {
            let address = try await server.listen()
            logger.info(
                "Listening",
                metadata: [LogKey.host: "\(address?.ipAddress ?? "")", LogKey.port: "\(address?.port ?? 0)"])
        } catch {
            try await server.shutdown()
            throw ProcessExit.cannotListen(
                host, port, portSetting: GatewaySettings.port.name, hostSetting: GatewaySettings.host.name,
                because: error)
        }
    }

    private static func untilCancelled() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }

    /// Takes the steps of a stop, but no longer than until the last connection is closed.
    private func drain() async {
        server.core.drain.begin()
        let sequence = DrainSequence(limit: drainLimit, announces: !stop.isInteractive)
        logger.info(
            "Stopping: /readyz says so, and requests in flight are finished, up to the limit",
            metadata: [LogKey.limit: "\(drainLimit)"])
        await withTaskGroup(of: Void.self) { group in
            let (closing, hasClosed) = AsyncStream.makeStream(of: Never.self)
            group.addTask {
                do {
                    try await sequence.run(
                        close: {
                            logger.info("No longer listening; waiting for what is in flight")
                            await server.quiesce()
                            hasClosed.finish()
                        },
                        cut: { await cut() }, abandon: { await server.abandon() })
                } catch {
                    // Nothing is in flight any more, or the process may wait no longer.
                    await server.quiesce()
                    await server.abandon()
                    hasClosed.finish()
                }
            }
            for await _ in closing {}
            await server.core.connections.none()
            group.cancelAll()
        }
    }

    private func cut() async {
        let count = await server.cut()
        if count > 0 { logger.warning("Requests were cut off", metadata: [LogKey.count: "\(count)"]) }
    }
}
