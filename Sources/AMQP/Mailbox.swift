import Synchronization
import Threads

/// What tasks hand to the connection's thread, and what that thread tells them: the only state that both touch.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case publish(PendingPublish)
        case subscribe(Consumer)
        case acknowledge(tag: UInt64, consumer: UInt64)
        case reject(tag: UInt64, requeue: Bool, consumer: UInt64)
        case cancel(Consumer)
    }

    enum Stop: Sendable {
        /// After the confirms of what has been sent, and with the closing handshake.
        case graceful
        case immediate
    }

    private struct State {
        var status = ConnectionStatus.disconnected(reason: "not connected yet")
        var stop: Stop?
        var commands: [Command] = []
        var outstandingMessages = 0
        var outstandingBytes = 0
        var observers: [UInt64: AsyncStream<ConnectionStatus>.Continuation] = [:]
        var lastID: UInt64 = 0
    }

    private let maximumMessages: Int
    private let maximumBytes: Int
    private let state = Mutex(State())
    let wakeup = Wakeup()

    init(maximumMessages: Int, maximumBytes: Int) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
    }

    // MARK: For tasks

    var status: ConnectionStatus { state.withLock(\.status) }

    func newID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Throws where the message cannot be sent now; the order of calls is the order of sending.
    func publish(_ publish: PendingPublish) throws(AMQPError) {
        let size = publish.message.body.count
        let refusal: AMQPError? = state.withLock { state in
            if state.stop != nil { return Self.stopped }
            switch state.status {
            case .connected: break
            case .disconnected(let reason): return AMQPError(.notConnected, reason)
            case .blocked(let reason): return AMQPError(.blocked, reason)
            case .stopped: return Self.stopped
            }
            if state.outstandingMessages >= maximumMessages || state.outstandingBytes + size > maximumBytes {
                return AMQPError(.blocked, "too much is waiting for the broker's confirm")
            }
            state.outstandingMessages += 1
            state.outstandingBytes += size
            add(.publish(publish), &state)
            return nil
        }
        if let refusal { throw refusal }
    }

    func subscribe(_ consumer: Consumer) throws(AMQPError) {
        let stopped = state.withLock { state in
            if state.stop != nil || state.status == .stopped { return true }
            add(.subscribe(consumer), &state)
            return false
        }
        if stopped { throw Self.stopped }
    }

    /// For acknowledgements: lost where there is no connection, as the deliveries they are for are.
    func post(_ command: Command) {
        state.withLock { state in
            switch state.status {
            case .connected, .blocked: add(command, &state)
            case .disconnected, .stopped: break
            }
        }
    }

    func cancel(_ consumer: Consumer) {
        consumer.end(.success(()))
        let wasWaiting = state.withLock { state in
            let waiting = state.commands.firstIndex { command in
                if case .subscribe(let other) = command { other === consumer } else { false }
            }
            guard let waiting else { return false }
            state.commands.remove(at: waiting)
            return true
        }
        if wasWaiting { consumer.released.resolve(()) } else { post(.cancel(consumer)) }
    }

    func statusUpdates() -> AsyncStream<ConnectionStatus> {
        // Whoever is slow needs the last ones.
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionStatus.self, bufferingPolicy: .bufferingNewest(16))
        let id = newID()
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.observers.removeValue(forKey: id) }
        }
        let ended = state.withLock { state in
            continuation.yield(state.status)
            if state.status == .stopped { return true }
            state.observers[id] = continuation
            return false
        }
        if ended { continuation.finish() }
        return stream
    }

    func requestStop(_ stop: Stop) {
        state.withLock { state in
            if state.stop != .immediate { state.stop = stop }
        }
        wakeup.signal()
    }

    // MARK: For the thread

    var stop: Stop? { state.withLock(\.stop) }

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// A message has got its answer, so there is room for another one.
    func release(bytes: Int) {
        state.withLock { state in
            state.outstandingMessages -= 1
            state.outstandingBytes -= bytes
        }
    }

    /// Sets the status while there is a connection.
    func report(_ status: ConnectionStatus) {
        state.withLock { Self.set(status, &$0) }
    }

    /// There is no connection any more. Returns what was waiting for it, so that none of it is sent on the next one,
    /// except for subscriptions, which wait on.
    func disconnect(_ status: ConnectionStatus, keeping consumers: [Consumer] = []) -> [Command] {
        state.withLock { state in
            let commands = state.commands
            state.commands = consumers.map { .subscribe($0) }
            if status != .stopped {
                state.commands += commands.filter { if case .subscribe = $0 { true } else { false } }
            }
            Self.set(status, &state)
            return commands
        }
    }

    /// After the last status nothing can follow.
    func finishUpdates() {
        let observers = state.withLock { state in
            defer { state.observers = [:] }
            return Array(state.observers.values)
        }
        for observer in observers { observer.finish() }
    }

    private func add(_ command: Command, _ state: inout State) {
        state.commands.append(command)
        // Whoever added the one before has woken the thread, and it has not come to look yet.
        if state.commands.count == 1 { wakeup.signal() }
    }

    private static func set(_ status: ConnectionStatus, _ state: inout State) {
        guard state.status != status, state.status != .stopped else { return }
        state.status = status
        for observer in state.observers.values { observer.yield(status) }
    }

    private static let stopped = AMQPError(.stopped, "the connection has been stopped")
}
