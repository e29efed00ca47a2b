import Glibc
import Hummingbird
import Logging
import NIOCore

/// A request's context that keeps the connection, so that it can be reset.
struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
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
