import Glibc
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// A request's context that keeps the connection, so that it can be reset.
struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Waits until the client gives up or the simulator stops. The request's body must not have been read yet.
    func hang(_ request: Request) async {
        await cancelWhenGracefulShutdown {
            do {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await Task.sleep(for: .seconds(3600))
                }
            } catch {
                // Cancelled, as meant: there is nobody left to answer.
            }
        }
    }

    /// Closes the connection in place of an answer.
    func close() async {
        do {
            try await channel.close().get()
        } catch {
            logger.debug("A connection was closed before its end", metadata: ["error": "\(error)"])
        }
    }

    /// Closes the connection with TCP RST in place of an answer (a linger time of zero does that).
    func reset() async {
        do {
            if let socket = channel as? any SocketOptionProvider {
                try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            }
            try await channel.close().get()
        } catch {
            // The client was faster: the connection is gone already, which is what was wanted.
            logger.debug("A connection was closed before its reset", metadata: ["error": "\(error)"])
        }
    }
}
