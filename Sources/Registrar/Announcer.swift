import Catalog
import Logging

/// Publishes what has been committed: in the order of revisions, until it is confirmed, and only then is it marked as
/// announced. A crash in between announces it once more, which changes nothing for those who have seen it.
struct Announcer: Sendable {
    let store: RegistryStore
    let stream: any CatalogStream
    let patience: Patience
    /// Many have something to announce at once: who comes second mostly finds that it has been done.
    private let order = FirstComeLock()

    /// Announces all that lies above the watermark now.
    func announce() async throws {
        try await order.withLock { try await announceBacklog() }
    }

    private func announceBacklog() async throws {
        try await patience.until("announcing") {
            guard let backlog = try await store.backlog() else { return }
            try await stream.publish(backlog.messages)
            try await store.markAnnounced(through: backlog.through)
        }
    }

    /// Announces every record, whatever has been announced before.
    func announceEverything() async throws {
        try await order.withLock {
            try await patience.until("announcing everything") {
                let everything = try await store.everything()
                try await stream.publish(everything.messages)
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

    /// Publishes the list of all live records. What it lists has been announced before it.
    func checkpoint(at now: Int64) async throws {
        try await order.withLock {
            try await announceBacklog()
            try await patience.until("the checkpoint") {
                let (state, entries) = try await store.checkpoint()
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
