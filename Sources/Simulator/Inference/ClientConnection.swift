import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// Notices that a client has closed its connection while it is being answered.
///
/// Sits before Hummingbird's own handlers, which pass neither of the two events on to the one that answers. NIO notices
/// the end also while nothing is being read (EPOLLRDHUP). A client that closes only its half is taken as gone, as
/// the servers do that are simulated.
final class ClientConnection: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private let answer = Mutex<AnswerInWork?>(nil)

    /// Answers on a connection follow one another (HTTP/1.1), so there is one at a time.
    func begin(_ next: AnswerInWork) { answer.withLock { $0 = next } }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    private func leave() { answer.withLock { $0 }?.end(.closedByClient) }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 that notices when a client goes.
    static var simulated: HTTPServerBuilder {
        .http1(configuration: .init(additionalChannelHandlers: [ClientConnection()]))
    }
}

extension SimulatorContext {
    /// Has the answer ended when its client goes. Without a network there is no client that could.
    func begin(_ answer: AnswerInWork) async throws {
        do {
            try await channel.pipeline.handler(type: ClientConnection.self).get().begin(answer)
            // It may have gone before there was anything to tell.
            if !channel.isActive { answer.end(.closedByClient) }
        } catch ChannelPipelineError.notFound {
            logger.debug("Nothing tells when this client goes")
        }
    }
}
