import Catalog
import GRDB

/// Messages in the order in which they are published, and the watermark that is true once all are confirmed.
struct Backlog: Sendable, Hashable {
    var messages: [TracedMessage]
    var through: Int64
}

extension RegistryStore {
    /// What has been committed and not announced; nil where that is nothing.
    ///
    /// Lowest revision first, a record before its operation. Where a record has been changed again since, its
    /// operation waits for the record as it is now: whoever sees that an endpoint was made must find the endpoint.
    func backlog() async throws -> Backlog? {
        try await database.read { try Self.backlog($0, try RegistryState.read($0)) }
    }

    private static func backlog(_ database: Database, _ state: RegistryState) throws -> Backlog? {
        guard state.announced < state.revision else { return nil }
        return Backlog(
            messages: try messages(database, above: state.announced, outcomesAbove: state.announced),
            through: state.revision)
    }

    /// All records and tombstones, whatever has been announced, and the outcomes that followers keep: for a stream that
    /// has lost them.
    func everything() async throws -> Backlog {
        try await database.read { database in
            let state = try RegistryState.read(database)
            let oldest = min(state.announced, state.revision - Operation.keptRevisions)
            return Backlog(
                messages: try Self.messages(database, above: 0, outcomesAbove: oldest), through: state.revision)
        }
    }

    /// Moves the watermark up to `revision`; never down, since another registrar may have moved it further.
    func markAnnounced(through revision: Int64) async throws {
        try await transaction { database in
            try database.execute(
                sql: "UPDATE registry SET announced = ? WHERE id = 1 AND announced < ?",
                arguments: [revision, revision])
        }
    }

    /// The registry's state, its live records, and what has not been announced, read as one: what a checkpoint says, and
    /// what has to be said before it.
    func checkpoint() async throws -> (state: RegistryState, entries: [CheckpointEntry], backlog: Backlog?) {
        try await database.read { database in
            let state = try RegistryState.read(database)
            let endpoints = try Row.fetchAll(database, sql: "SELECT id, revision FROM endpoints")
                .map { CheckpointEntry(kind: .endpoint, id: $0["id"], revision: $0["revision"]) }
            let registrations = try Row.fetchAll(database, sql: "SELECT name, revision FROM registrations")
                .map { CheckpointEntry(kind: .registration, id: $0["name"], revision: $0["revision"]) }
            let keys = try Row.fetchAll(database, sql: "SELECT id, revision FROM keys")
                .map { CheckpointEntry(kind: .key, id: $0["id"], revision: $0["revision"]) }
            return (state, (endpoints + registrations + keys).sorted(), try Self.backlog(database, state))
        }
    }

    /// Removes a registration that no broker takes, so that the checkpoint does not name what nobody can ever read.
    ///
    /// Only an earlier version can have written one: see `RecordSize`. One that was changed meanwhile is left as it is.
    func removeUnannounceable(_ change: RegistryChange) async throws {
        try await transaction { database in
            let registrations = RegistrationTable(database: database)
            guard try registrations.record(named: change.id)?.revision == change.revision else { return }
            // Date 0: the tombstone can be forgotten as soon as it is announced. The checkpoint tells whoever comes later.
            try registrations.delete(named: change.id, revision: try RegistryState.nextRevision(database), at: 0)
        }
    }

    private static func messages(
        _ database: Database, above revision: Int64, outcomesAbove announced: Int64
    ) throws -> [TracedMessage] {
        var changes = try EndpointTable(database: database).records(above: revision).map { RegistryChange($0) }
        changes += try RegistrationTable(database: database).records(above: revision).map { RegistryChange($0) }
        changes += try KeyTable(database: database).records(above: revision).map { RegistryChange($0) }
        let revisions = Dictionary(changes.map { ($0.id, $0.revision) }, uniquingKeysWith: { $1 })
        changes += try TombstoneTable(database: database).all(above: revision)
        let outcomes = try OutcomeTable(database: database).outcomes(above: announced)
        // A record belongs to the command that gave it its revision.
        let traces = outcomes.reduce(into: [:]) { $0[$1.revision] = $1.trace }
        var items: [(revision: Int64, isOperation: Bool, message: TracedMessage)] = changes.map { change in
            (change.revision, false, TracedMessage(.registryChanged(change), trace: traces[change.revision]))
        }
        for outcome in outcomes {
            let result = outcome.operation.result.flatMap { revisions[$0] }
            items.append(
                (
                    max(outcome.revision, result ?? 0), true,
                    TracedMessage(.operationChanged(outcome.operation), trace: outcome.trace)
                ))
        }
        items += try HubLookTable(database: database).changes(above: revision).map { change in
            (change.revision, false, TracedMessage(.hubChanged(change), trace: nil))
        }
        // The sort is stable, and the outcomes are in the order of their revisions.
        items.sort { ($0.revision, $0.isOperation ? 1 : 0) < ($1.revision, $1.isOperation ? 1 : 0) }
        return items.map(\.message)
    }
}
