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

    /// Throws `ProcessExit` with code 1 where the address cannot be had.
    func run() async throws {
        let listening = ListeningFlag()
        let logger = logger
        let application = Application(
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
        do {
            try await application.run()
        } catch  where !listening.isSet {
            throw ProcessExit(
                code: 1, message: "cannot listen on \(host):\(port) (ROLLCALL_HOST, ROLLCALL_PORT): \(error)")
        }
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
