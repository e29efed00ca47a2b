import Synchronization

/// Whether this registrar is the active one, as far as it can know: AMQP does not tell a consumer, but each registrar
/// proposes housekeeping every second, and only the active one receives the proposals.
final class RegistrarActivity: Sendable {
    private struct State {
        var inbox: DeliveryInbox?
        var lastDelivery: ContinuousClock.Instant?
        /// The last proposal of this registrar that has not come back to it.
        var proposal: (id: String, at: ContinuousClock.Instant)?
    }

    /// After this a proposal that has not come back is made again: another registrar may have got it.
    private static let proposalMemory = Duration.seconds(5)

    /// Without a delivery for so long, another registrar is active, or none.
    private static let memory = Duration.seconds(5)

    private let state = Mutex(State())

    func subscribed(_ inbox: DeliveryInbox) { state.withLock { $0.inbox = inbox } }

    func unsubscribed() {
        state.withLock { state in
            state.inbox = nil
            state.lastDelivery = nil
            state.proposal = nil
        }
    }

    func delivered() { state.withLock { $0.lastDelivery = .now } }

    /// These messages were delivered to this registrar, whatever becomes of them.
    func delivered(ids: some Sequence<String>) {
        state.withLock { state in
            state.lastDelivery = .now
            if let proposal = state.proposal, ids.contains(proposal.id) { state.proposal = nil }
        }
    }

    /// Whether a new proposal makes sense: one that nobody takes expires into the dead queue, and pushes out there what a
    /// person should look at.
    func mayPropose(now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            state.inbox != nil && state.proposal.map { $0.at + Self.proposalMemory <= now } ?? true
        }
    }

    func proposed(_ id: String, at now: ContinuousClock.Instant = .now) {
        state.withLock { $0.proposal = (id, now) }
    }

    func closeInbox() { state.withLock { $0.inbox }?.close() }

    var isSubscribed: Bool { state.withLock { $0.inbox != nil } }

    var isActive: Bool {
        state.withLock { state in state.lastDelivery.map { ContinuousClock.now - $0 < Self.memory } ?? false }
    }
}
