import Hummingbird
import HummingbirdCore
import Launch
import Logging
import ServiceLifecycle
import Synchronization

/// The HTTP server as a service. Says where it listens once it does, also where the port was left to the system (0).
struct HTTPService: Service, CustomStringConvertible {
    let responder: GatewayResponder
    let host: String
    let port: Int
    /// How long a stop may take in all.
    let drainLimit: Duration
    let stop: StopRequest
    let logger: Logger

    /// A client that sends nothing for a minute where it has a request to send or to end is sent away, and so is a
    /// connection that is not used for that long; one that takes nothing of an answer, after `clientStall`.
    static func server(clientStall: Duration) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            LoopBoundChannel(
                base: HTTP1Channel(
                    responder: responder,
                    configuration: .init(
                        additionalChannelHandlers: [ClientPresence(stall: clientStall)], idleTimeout: .seconds(60))))
        }
    }

    /// What the service group logs of it: never what it is made of, keys among that.
    var description: String { "HTTPService(\(host):\(port))" }

    /// Serves until it is asked to stop and what is in flight has been answered, or its time is up.
    ///
    /// Throws `ProcessExit` with code 1 where the address cannot be had.
    func run() async throws {
        let listening = ListeningFlag()
        let application = ServiceGroup(services: [application(listening)], logger: quiet(logger))
        // Detached, for it would hear of the process' stop at once otherwise, and stop listening.
        let serving = Task.detached { try await application.run() }
        let stopping = Task {
            try await gracefulShutdown()
            try await drain(application) { serving.cancel() }
        }
        defer { stopping.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await serving.value
            } onCancel: {
                serving.cancel()
            }
        } catch  where responder.drain.isOver {
            // What was cut off.
        } catch  where !listening.isSet && !Task.isCancelled {
            throw ProcessExit(
                code: 1, message: "cannot listen on \(host):\(port) (ROLLCALL_HOST, ROLLCALL_PORT): \(error)")
        }
    }

    /// Cancelled as soon as the server has ended, which is when nothing is in flight any more.
    private func drain(_ application: ServiceGroup, abandon: @Sendable () -> Void) async throws {
        let drain = responder.drain
        drain.begin()
        let sequence = DrainSequence(limit: drainLimit, announces: !stop.isInteractive)
        logger.info(
            "Stopping: not ready any more",
            metadata: [LogKey.limit: "\(drainLimit)", LogKey.announced: "\(sequence.announces)"])
        try await sequence.run(
            close: {
                logger.info("No longer listening; waiting for what is in flight")
                await application.triggerGracefulShutdown()
            },
            cut: {
                let count = drain.end()
                if count > 0 { logger.warning("Requests were cut off", metadata: [LogKey.count: "\(count)"]) }
            },
            abandon: abandon)
    }

    private func application(_ listening: ListeningFlag) -> some Service {
        let logger = logger
        return Application(
            responder: responder, server: Self.server(clientStall: responder.inference.limits.idle),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                listening.set()
                logger.info(
                    "Listening",
                    metadata: [
                        LogKey.host: "\(channel.localAddress?.ipAddress ?? "")",
                        LogKey.port: "\(channel.localAddress?.port ?? 0)",
                    ])
            },
            logger: quiet(logger))
    }

    /// Hummingbird's own lines below a warning are about its inner life.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

private final class ListeningFlag: Sendable {
    private let flag = Mutex(false)
    func set() { flag.withLock { $0 = true } }
    var isSet: Bool { flag.withLock { $0 } }
}
