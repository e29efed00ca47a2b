import Catalog
import GRDB

/// What became of one delivery of a command.
struct Execution: Sendable, Hashable {
    var operation: Operation
    /// The outcome was there already: it has to be published again, for the one who asks again.
    var isRepeat: Bool
}

extension RegistryStore {
    /// Executes `command`, or finds what became of it: one transaction, hence one effect and one answer.
    ///
    /// - Parameter now: milliseconds since 1970.
    /// - Throws: database errors, see `StoreFailure`; nothing has been changed then.
    func execute(_ command: Command, at now: Int64) async throws -> Execution {
        let failpoint = failpoint
        return try await transaction { database in
            let outcomes = OutcomeTable(database: database)
            if let known = try outcomes.known(command, at: now) { return known }
            let revision = try RegistryState.nextRevision(database)
            if let accepted = try Self.accept(command, revision: revision, at: now, database) {
                try failpoint(.beforeCommit)
                return Execution(operation: accepted.pending(step: "accepted", at: now), isRepeat: false)
            }
            let change = try Self.apply(command, revision: revision, at: now, database)
            let operation = try outcomes.insert(
                change.operation(id: command.id, revision: revision, at: now),
                fingerprint: command.storedFingerprint, trace: command.trace, revision: revision, at: now)
            try failpoint(.beforeCommit)
            return Execution(operation: operation, isRepeat: false)
        }
    }

    /// Records that `command` failed without being executed; an outcome that it has already stands.
    func fail(
        _ command: DeliveryReading.Identity, because rejection: Rejection, at now: Int64
    ) async throws -> Execution {
        try await transaction { database in
            let outcomes = OutcomeTable(database: database)
            if let outcome = try outcomes.outcome(of: command.id) {
                return Execution(operation: outcome.operation, isRepeat: true)
            }
            if let accepted = try AcceptedCommandTable(database: database).command(command.id) {
                return Execution(operation: accepted.pending(step: "accepted", at: now), isRepeat: true)
            }
            let revision = try RegistryState.nextRevision(database)
            let operation = try outcomes.insert(
                Change.rejected(rejection).operation(id: command.id, revision: revision, at: now),
                fingerprint: command.fingerprint, trace: command.trace, revision: revision, at: now)
            return Execution(operation: operation, isRepeat: false)
        }
    }

    /// Forgets outcomes and tombstones older than 24 h (the time for which the HTTP contract promises the same answer,
    /// and for which the stream keeps anything), but nothing that has not been announced.
    func prune(at now: Int64) async throws {
        let day: Int64 = 24 * 3600 * 1000
        try await transaction { database in
            for table in ["outcomes", "tombstones"] {
                try database.execute(
                    sql: """
                        DELETE FROM \(table) WHERE at < ? AND revision <= (SELECT announced FROM registry WHERE id = 1)
                        """, arguments: [now - day])
            }
        }
    }

    /// What a command came to.
    private enum Change {
        case created(String)
        case updated(String)
        case deleted
        case rejected(Rejection)
        case expired

        func operation(id: String, revision: Int64, at now: Int64) -> Operation {
            switch self {
            case .created(let result):
                Operation(id: id, state: .succeeded, revision: revision, status: 201, result: result, at: now)
            case .updated(let result):
                Operation(id: id, state: .succeeded, revision: revision, status: 200, result: result, at: now)
            case .deleted:
                Operation(id: id, state: .succeeded, revision: revision, status: 204, at: now)
            case .rejected(let rejection):
                rejection.operation(id: id, at: now)
            case .expired:
                Operation(
                    id: id, state: .expired, status: Rejection.expired.status, error: Rejection.expired.error, at: now)
            }
        }
    }

    /// Takes a command on whose work is longer than a transaction; nil for all others, and for one that is refused.
    private static func accept(
        _ command: Command, revision: Int64, at now: Int64, _ database: Database
    ) throws -> AcceptedCommand? {
        guard now <= command.deadline, let work = command.action.work else { return nil }
        if let name = work.registration, try RegistrationTable(database: database).record(named: name) == nil {
            return nil
        }
        let accepted = AcceptedCommand(
            id: command.id, fingerprint: command.storedFingerprint, trace: command.trace, work: work,
            revision: revision, at: now)
        try AcceptedCommandTable(database: database).insert(accepted)
        return accepted
    }

    private static func apply(
        _ command: Command, revision: Int64, at now: Int64, _ database: Database
    ) throws -> Change {
        guard now <= command.deadline else { return .expired }
        let endpoints = EndpointTable(database: database)
        do {
            switch command.action {
            case .createEndpoint(let draft):
                return .created(try create(draft, revision: revision, at: now, in: endpoints).id)
            case .updateEndpoint(let id, let change):
                return .updated(try update(id, by: change, revision: revision, in: endpoints).id)
            case .deleteEndpoint(let id):
                guard try endpoints.record(id: id) != nil else { throw Rejection.endpointNotFound }
                try endpoints.delete(id: id, revision: revision, at: now)
                return .deleted
            case .deleteModel(let name):
                let registrations = RegistrationTable(database: database)
                guard try registrations.record(named: name) != nil else { throw Rejection.modelNotRegistered }
                try registrations.delete(named: name, revision: revision, at: now)
                return .deleted
            case .createKey(let draft):
                return .created(try create(draft, revision: revision, at: now, in: KeyTable(database: database)).id)
            case .revokeKey(let id):
                let keys = KeyTable(database: database)
                guard try keys.record(id: id) != nil else { throw Rejection.keyNotFound }
                try keys.delete(id: id, revision: revision, at: now)
                return .deleted
            case .registerModel, .previewModel, .refreshModel, .verifyModel:
                // Only a name that is not registered is not accepted, see `accept`.
                throw Rejection.modelNotRegistered
            }
        } catch let rejection as Rejection {
            return .rejected(rejection)
        }
    }

    /// - Throws: `Rejection`, before anything is written.
    @discardableResult
    static func create(
        _ draft: EndpointDraft, revision: Int64, at now: Int64, in endpoints: EndpointTable
    ) throws -> EndpointRecord {
        let record = try CommandRules.record(from: draft, revision: revision, createdAt: now / 1000)
        try checkUnique(record, in: endpoints)
        // Ids are derived from commands' ids: a key that is used again after its outcome was forgotten finds its
        // endpoint alive.
        guard try endpoints.record(id: record.id) == nil else { throw Rejection.keyReused }
        try RecordSize.check(record)
        try endpoints.put(record)
        return record
    }

    private static func create(
        _ draft: KeyDraft, revision: Int64, at now: Int64, in keys: KeyTable
    ) throws -> KeyRecord {
        let record = try CommandRules.record(from: draft, revision: revision, createdAt: now / 1000)
        guard try keys.record(id: record.id) == nil else { throw Rejection.keyReused }
        try RecordSize.check(record)
        try keys.put(record)
        return record
    }

    private static func update(
        _ id: String, by change: EndpointChange, revision: Int64, in endpoints: EndpointTable
    ) throws -> EndpointRecord {
        guard let old = try endpoints.record(id: id) else { throw Rejection.endpointNotFound }
        var new = try CommandRules.changed(old, by: change)
        guard new != old else { return old }
        try checkUnique(new, in: endpoints)
        new.revision = revision
        if CommandRules.needsNewGeneration(old, new) { new.generation = revision }
        try RecordSize.check(new)
        try endpoints.put(new)
        return new
    }

    private static func checkUnique(_ record: EndpointRecord, in endpoints: EndpointTable) throws {
        if let other = try endpoints.record(named: record.name), other.id != record.id {
            throw Rejection.nameTaken(record.name)
        }
        if let other = try endpoints.record(baseURL: record.baseURL), other.id != record.id {
            throw Rejection.baseURLTaken(by: other.name)
        }
    }
}

extension Command.Action {
    /// What is left to do once the command has been accepted; nil where it is done in one transaction.
    fileprivate var work: AcceptedCommand.Work? {
        switch self {
        case .createEndpoint, .updateEndpoint, .deleteEndpoint, .deleteModel, .createKey, .revokeKey: nil
        case .registerModel(let request): .register(request)
        case .previewModel(let request): .preview(request)
        case .refreshModel(let name, let isApplied): .refresh(name: name, isApplied: isApplied)
        case .verifyModel(let name): .verify(name: name)
        }
    }
}

extension AcceptedCommand.Work {
    /// The registration that it is about; nil where it makes one.
    var registration: String? {
        switch self {
        case .register, .preview: nil
        case .refresh(let name, _), .verify(let name): name
        }
    }
}
