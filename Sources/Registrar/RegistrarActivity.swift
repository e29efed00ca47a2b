import Synchronization

/// Whether this registrar is the active one, as far as it can know: AMQP does not tell a consumer, but each registrar
/// proposes housekeeping every second, and only the active one receives the proposals.
final class RegistrarActivity: Sendable {
    private struct State {
        var inbox: DeliveryInbox?
        var lastDelivery: ContinuousClock.Instant?
    }

    /// Without a delivery for so long, another registrar is active, or none.
    private static let memory = Duration.seconds(5)

    private let state = Mutex(State())

    func subscribed(_ inbox: DeliveryInbox) { state.withLock { $0.inbox = inbox } }

    func unsubscribed() {
        state.withLock { state in
            state.inbox = nil
            state.lastDelivery = nil
        }
    }

    func delivered() { state.withLock { $0.lastDelivery = .now } }

    func closeInbox() { state.withLock { $0.inbox }?.close() }

    var isSubscribed: Bool { state.withLock { $0.inbox != nil } }

    var isActive: Bool {
        state.withLock { state in state.lastDelivery.map { ContinuousClock.now - $0 < Self.memory } ?? false }
    }
}
