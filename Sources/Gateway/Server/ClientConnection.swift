import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connection that a request came on, for what Hummingbird's request does not tell: that the client is gone while
/// nothing is read from it or written to it.
struct ClientConnection: Sendable {
    let channel: any Channel

    /// Has `action` called once, when the client closes its side; at once where it has. Takes the place of the action
    /// of an earlier request of the connection.
    func whenGone(_ action: @escaping @Sendable () -> Void) {
        if let presence = ClientPresence.of(channel) {
            presence.whenGone(action)
        } else if !channel.isActive {
            action()
        }
    }

    /// Closes the connection in a while: time to read an answer for a client that goes on sending what nobody wants.
    func closeSoon() {
        let channel = channel
        channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
}

/// Stands in the pipeline of each connection and notices its end, or that the client has closed its sending side: who
/// waits for an answer keeps that open. Closes the connection of a client that stopped reading, and tells one that asks
/// before it sends a body to go on.
final class ClientPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private struct State {
        var isGone = false
        var action: (@Sendable () -> Void)?
        /// Set while more waits to be sent than the network takes.
        var stallEnds: Scheduled<Void>?
    }

    /// Those of all open connections, so that a request finds its own without a turn of the event loop.
    private static let open = Mutex<[ObjectIdentifier: ClientPresence]>([:])

    private let stall: Duration
    private let state = Mutex(State())

    /// nil once the connection is closed.
    static func of(_ channel: any Channel) -> ClientPresence? {
        open.withLock { $0[ObjectIdentifier(channel)] }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let id = ObjectIdentifier(context.channel)
        Self.open.withLock { $0[id] = self }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        let id = ObjectIdentifier(context.channel)
        _ = Self.open.withLock { $0.removeValue(forKey: id) }
        noteGone()
    }

    /// - Parameter stall: how long a client may take nothing of what waits for it before its connection is closed
    init(stall: Duration) { self.stall = stall }

    func whenGone(_ action: @escaping @Sendable () -> Void) {
        let isGone = state.withLock { state in
            if !state.isGone { state.action = action }
            return state.isGone
        }
        if isGone { action() }
    }

    /// A client that asks may send its body at once (RFC 9110, section 10.1.1); some wait a second for that.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        noteGone()
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let channel = context.channel
        let scheduled = channel.isWritable ? nil : schedule(on: channel)
        state.withLock { state in
            state.stallEnds?.cancel()
            state.stallEnds = scheduled
        }
        context.fireChannelWritabilityChanged()
    }

    private func schedule(on channel: any Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: TimeAmount(stall)) { channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { noteGone() }
        context.fireUserInboundEventTriggered(event)
    }

    private func noteGone() {
        let action = state.withLock { state in
            state.isGone = true
            state.stallEnds?.cancel()
            state.stallEnds = nil
            return state.action.take()
        }
        action?()
    }
}
