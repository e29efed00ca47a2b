import Catalog
import GRDB
import JSON

extension RegistryStore {
    /// How an accepted command ended, before it is written down.
    enum Ending: Sendable, Hashable {
        /// The record's revision, generation, and creation are given in the transaction.
        case registered(RegistrationRecord)
        /// The record that a registration would have made.
        case previewed(RegistrationRecord)
        /// The repository as it is now; `isApplied` says whether it takes the place of what is registered.
        case lookedAt(RegistrationRecord, isApplied: Bool)
        /// Each endpoint has been tried.
        case verified
        case rejected(Rejection)
    }

    /// Accepted commands without an outcome, the oldest first.
    func accepted(above revision: Int64 = 0) async throws -> [AcceptedCommand] {
        try await database.read { try AcceptedCommandTable(database: $0).all(above: revision) }
    }

    /// The record with its newest live numbers.
    func registration(named name: String) async throws -> RegistrationRecord? {
        try await database.read { database in
            guard var record = try RegistrationTable(database: database).record(named: name) else { return nil }
            record.hub = try HubLookTable(database: database).numbers(of: name) ?? record.hub
            return record
        }
    }

    /// Writes down the outcome of `command`, and the change: one transaction. nil where it has an outcome already,
    /// written by another registrar that took this one for dead.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - dueAt: when the Hub is to be asked again for what changes all the time.
    func finish(
        _ command: AcceptedCommand, _ ending: Ending, at now: Int64, dueAt: Int64
    ) async throws -> Operation? {
        let failpoint = failpoint
        return try await transaction { database in
            let table = AcceptedCommandTable(database: database)
            guard try table.command(command.id) != nil else { return nil }
            let revision = try RegistryState.nextRevision(database)
            let operation: Operation
            do {
                operation = try Self.apply(
                    ending, of: command, revision: revision, at: now, dueAt: dueAt, to: database)
            } catch let rejection as Rejection {
                operation = rejection.operation(id: command.id, at: now)
            }
            try table.delete(command.id)
            let outcome = try OutcomeTable(database: database).insert(
                operation, fingerprint: command.fingerprint, trace: command.trace, revision: revision, at: now)
            try failpoint(.beforeCommit)
            return outcome
        }
    }

    private static func apply(
        _ ending: Ending, of command: AcceptedCommand, revision: Int64, at now: Int64, dueAt: Int64,
        to database: Database
    ) throws -> Operation {
        let registrations = RegistrationTable(database: database)
        switch ending {
        case .registered(var record):
            guard try registrations.record(named: record.name) == nil else {
                throw Rejection.alreadyRegistered(record.name)
            }
            record.generation = revision
            record.revision = revision
            record.createdAt = now / 1000
            try write(record, dueAt: dueAt, to: database)
            return Operation(
                id: command.id, state: .succeeded, revision: revision, status: 201, result: record.name, at: now)
        case .previewed(let record):
            try RecordSize.check(record)
            return Operation(
                id: command.id, state: .succeeded, status: 200, result: record.name,
                preview: RegistrationPreview(record), at: now)
        case .lookedAt(let found, let isApplied):
            guard let held = try registrations.record(named: found.name) else { throw Rejection.modelNotRegistered }
            let record = held.lookedAt(again: found, isApplied: isApplied, revision: revision, at: now)
            try write(record, dueAt: dueAt, to: database)
            return Operation(
                id: command.id, state: .succeeded, revision: revision, status: 200, result: record.name, at: now)
        case .verified:
            guard case .verify(let name) = command.work, try registrations.record(named: name) != nil else {
                throw Rejection.modelNotRegistered
            }
            return Operation(id: command.id, state: .succeeded, status: 200, result: name, at: now)
        case .rejected(let rejection):
            throw rejection
        }
    }

    /// Writes a record that has the newest live numbers.
    private static func write(_ record: RegistrationRecord, dueAt: Int64, to database: Database) throws {
        try RecordSize.check(record)
        try RegistrationTable(database: database).put(record)
        let looks = HubLookTable(database: database)
        try looks.schedule(record.name, dueAt: dueAt)
        try looks.forgetNumbers(of: record.name)
    }

    /// Names of registrations whose live numbers are due at `now`, the longest overdue first.
    func dueRegistrations(at now: Int64, limit: Int) async throws -> [String] {
        try await database.read { try HubLookTable(database: $0).due(at: now, limit: limit) }
    }

    /// Writes down what the Hub says of a registration now; nil: it did not answer.
    ///
    /// Followers are told of changes only, by a small message. A repository that has moved on, or back, changes the record.
    /// The last numbers are marked as stale after several questions in a row without an answer: one is nothing unusual.
    func updateHubInfo(
        _ name: String, _ answer: (info: HubInfo, commit: String)?, dueAt: Int64
    ) async throws {
        try await transaction { database in
            let registrations = RegistrationTable(database: database)
            let looks = HubLookTable(database: database)
            guard let old = try registrations.record(named: name) else { return }
            let held = try looks.numbers(of: name) ?? old.hub
            guard let answer else {
                let misses = try looks.misses(of: name) + 1
                try looks.schedule(name, dueAt: dueAt, misses: misses)
                guard misses >= Self.missesUntilStale, !held.isStale else { return }
                var stale = held
                stale.isStale = true
                return try looks.setNumbers(stale, of: name, revision: try RegistryState.nextRevision(database))
            }
            try looks.schedule(name, dueAt: dueAt)
            var new = old
            new.notice(commit: answer.commit, at: answer.info.fetchedAt)
            if new.drift != old.drift {
                new.hub = answer.info
                new.revision = try RegistryState.nextRevision(database)
                try registrations.put(new)
                try looks.forgetNumbers(of: name)
            } else if !answer.info.saysTheSame(as: held) {
                try looks.setNumbers(answer.info, of: name, revision: try RegistryState.nextRevision(database))
            }
        }
    }

    private static let missesUntilStale = 3
}

extension HubInfo {
    /// Equal but for the time.
    fileprivate func saysTheSame(as other: HubInfo) -> Bool {
        var new = self
        new.fetchedAt = other.fetchedAt
        return new == other
    }
}

extension RegistrationRecord {
    /// This record after the repository was looked at again and found to be as `found`.
    fileprivate func lookedAt(
        again found: RegistrationRecord, isApplied: Bool, revision: Int64, at now: Int64
    ) -> RegistrationRecord {
        var new = self
        new.revision = revision
        new.hub = found.hub
        new.drift = nil
        guard found.commit != commit else { return new }
        guard isApplied else {
            new.drift = RepositoryDrift(from: manifest, to: found.manifest, detectedAt: now)
            return new
        }
        new = found
        new.displayName = displayName
        new.createdAt = createdAt
        new.revision = revision
        new.generation = revision
        return new
    }

    /// Takes note of the commit that the repository is at now. What has changed is only told when it is asked for.
    fileprivate mutating func notice(commit new: String, at now: Int64) {
        if new == commit {
            drift = nil
        } else if drift?.commit != new {
            drift = RepositoryDrift(commit: new, detectedAt: now, changes: nil)
        }
    }
}
