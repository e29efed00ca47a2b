import Glibc
import NIOCore
import Synchronization

/// The connection of a client: notices that the client has gone, and ends the connection as a fault wants it.
///
/// NIO notices the end also while nothing is being read (EPOLLRDHUP). A client that closes only its half is taken as
/// gone, as the servers do that are simulated.
final class ClientConnection: ChannelInboundHandler, Sendable {
    typealias InboundIn = NIOAny

    private struct State {
        /// What ends when the client goes, or the simulator stops.
        var answer: AnswerInWork?
        /// How `answer` ends at once, because the client or the simulator has ended already.
        var ending: AnswerInWork.Ending?
        var isAnswering = false
        var isStopping = false
    }

    private let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel) { self.channel = channel }

    /// Requests on a connection follow one another (HTTP/1.1), so there is one at a time.
    func beginRequest() { state.withLock { $0.isAnswering = true } }

    /// False if no other request may follow, because the simulator stops.
    func endRequest() -> Bool {
        state.withLock { state in
            state.isAnswering = false
            state.answer = nil
            return !state.isStopping
        }
    }

    /// Ends the answer when the client goes or the simulator stops.
    func begin(_ answer: AnswerInWork) {
        let ending = state.withLock { state in
            state.answer = answer
            return state.ending
        }
        if let ending { answer.end(ending) }
    }

    /// Whether the answer in work is the last one.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The simulator stops: streams end, an answer that is being made is still sent, an idle connection is closed.
    func stop() {
        let (answer, isAnswering) = state.withLock { state in
            state.isStopping = true
            state.ending = state.ending ?? .completed
            return (state.answer, state.isAnswering)
        }
        answer?.end(.completed)
        if !isAnswering { channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { leave() }
        context.fireUserInboundEventTriggered(event)
    }

    private func leave() {
        let answer = state.withLock { state in
            state.ending = state.ending ?? .closedByClient
            return state.answer
        }
        answer?.end(.closedByClient)
    }

    /// Takes the request, and waits until the client gives up or the simulator stops.
    func hang(_ request: Request) async throws -> Never {
        // The close also ends the reading of a body that does not arrive.
        let wait = AnswerInWork { [channel] _ in channel.close(promise: nil) }
        begin(wait)
        for try await _ in request.body {}
        try await wait.pause(for: .seconds(86400))
        throw AnswerInWork.Ended()
    }

    /// Closes the connection in place of an answer, or of the rest of it.
    func close() async throws -> Never {
        try await channel.close().get()
        throw AnswerInWork.Ended()
    }

    /// Closes the connection with TCP RST (a linger time of zero does that).
    func reset() async throws -> Never {
        if let socket = channel as? any SocketOptionProvider {
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await close()
    }
}
