import AMQP
import Catalog
import Logging

/// Publishes what has been committed: in the order of revisions, until it is confirmed, and only then is it marked as
/// announced. A crash in between announces it once more, which changes nothing for those who have seen it.
struct Announcer: Sendable {
    let store: RegistryStore
    let stream: any CatalogStream
    let patience: Patience
    let logger: Logger
    /// Many have something to announce at once: who comes second mostly finds that it has been done.
    private let order = FirstComeLock()

    /// Announces all that lies above the watermark now.
    func announce() async throws {
        try await order.withLock { try await announceBacklog() }
    }

    private func announceBacklog() async throws {
        try await patience.until("announcing") {
            // Once more if the registry changed meanwhile, also by a record that had to be removed.
            while let backlog = try await store.backlog() {
                try await publish(backlog.messages)
                try await store.markAnnounced(through: backlog.through)
            }
        }
    }

    /// Publishes `messages` but for those that no broker ever takes: waiting for one of them would hold up all others.
    private func publish(_ messages: [TracedMessage]) async throws {
        guard try await refusal(of: messages) != nil else { return }
        // Which one it was is found out one by one. Followers that see a message twice change nothing.
        for message in messages {
            if let error = try await refusal(of: [message]) { try await leaveOut(message.message, error) }
        }
    }

    /// Publishes `messages`; gives the error where the broker will never take one of them.
    private func refusal(of messages: [TracedMessage]) async throws -> AMQPError? {
        do throws(AMQPError) {
            try await stream.publish(messages)
            return nil
        } catch {
            guard error.code == .invalidMessage else { throw error }
            return error
        }
    }

    private func leaveOut(_ message: CatalogMessage, _ error: AMQPError) async throws {
        var metadata: Logger.Metadata = ["type": "\(message.type)", "reason": "\(error.message)"]
        guard case .registryChanged(let change) = message, change.registration != nil else {
            return logger.error("A message that no broker takes is left out", metadata: metadata)
        }
        metadata["model"] = "\(change.id)"
        logger.error(
            "A registration that no broker takes is removed: register it again to learn what is too long",
            metadata: metadata)
        try await store.removeUnannounceable(change)
    }

    /// Announces every record, whatever has been announced before.
    func announceEverything() async throws {
        try await order.withLock {
            try await patience.until("announcing everything") {
                let everything = try await store.everything()
                try await publish(everything.messages)
                try await store.markAnnounced(through: everything.through)
            }
        }
    }

    /// Publishes outcomes again for clients that asked again. They get the registry's present revision, because followers
    /// forget an operation by its revision, while the same answer is promised for a day.
    func repeatOutcomes(_ repeats: [(operation: Operation, trace: TraceContext?)]) async throws {
        guard !repeats.isEmpty else { return }
        let revision = try await patience.until("the registry's state") { try await store.state() }.revision
        let messages = repeats.map { repeated in
            var operation = repeated.operation
            operation.sequence = max(operation.sequence ?? 0, revision)
            return TracedMessage(.operationChanged(operation), trace: repeated.trace)
        }
        try await patience.until("repeating outcomes") { try await stream.publish(messages) }
    }

    /// Publishes the list of all live records, and before it what has not been announced of them.
    ///
    /// Both are read as one. If another registrar commits in between, a list that is read later would name a record that
    /// nobody has announced, and followers that start now would not be ready.
    func checkpoint(at now: Int64) async throws {
        try await order.withLock {
            try await announceBacklog()
            try await patience.until("the checkpoint") {
                let (state, entries, backlog) = try await store.checkpoint()
                if let backlog {
                    try await publish(backlog.messages)
                    try await store.markAnnounced(through: backlog.through)
                }
                let parts = Checkpoint.parts(
                    registry: state.uuid, incarnation: state.incarnation, revision: state.revision, entries: entries,
                    madeAt: now)
                try await stream.publish(parts.map { TracedMessage(.registryCheckpoint($0), trace: nil) })
            }
        }
    }

    /// Says how far a command is that has no outcome yet. Not said again where it does not come through.
    func tell(_ operation: Operation) async {
        do {
            try await stream.publish([TracedMessage(.operationChanged(operation))])
        } catch {
            patience.note("A step could not be told", error)
        }
    }
}
