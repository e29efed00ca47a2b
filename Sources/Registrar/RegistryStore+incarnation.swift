import Catalog
import GRDB

extension RegistryStore {
    /// Begins incarnation `incarnation` or, where the database is there already, the one after its own.
    func beginIncarnation(atLeast incarnation: Int64 = 0) async throws -> RegistryState {
        try await transaction { database in
            try Self.raiseIncarnation(database, atLeast: incarnation)
            return try RegistryState.read(database)
        }
    }

    /// Makes what this database holds the newest that the stream has seen: every live record gets a revision above
    /// `highest`, and a new incarnation begins. Followers then drop, by the checkpoint, what this database does not hold.
    ///
    /// An endpoint keeps the generation that the stream shows if its URL, kind, and key are the same there: what was
    /// polled of it counts, and no list becomes empty. Otherwise the revision is its generation as well.
    ///
    /// - Parameters:
    ///   - highest: the highest revision that the stream has shown.
    ///   - incarnation: that of the stream's checkpoint.
    ///   - shown: what the stream shows.
    func restamp(
        above highest: Int64, incarnation: Int64, showing shown: StreamRecords = StreamRecords()
    ) async throws -> RegistryState {
        try await transaction { database in
            let state = try RegistryState.read(database)
            let base = max(highest, state.revision)
            try database.execute(sql: "UPDATE registry SET revision = ? WHERE id = 1", arguments: [base])
            let endpoints = EndpointTable(database: database)
            for var record in try endpoints.records() {
                record.revision = try RegistryState.nextRevision(database)
                record.generation = shown.generation(of: record, stampedWith: record.revision)
                try endpoints.put(record)
            }
            try Self.restampRegistrations(database, shown)
            let keys = KeyTable(database: database)
            for var record in try keys.records() {
                record.revision = try RegistryState.nextRevision(database)
                try keys.put(record)
            }
            try Self.restampOutcomes(database, above: state.announced)
            try Self.raiseIncarnation(database, atLeast: incarnation + 1)
            return try RegistryState.read(database)
        }
    }

    /// Also what is accepted and not done: verifications are told apart by revisions.
    private static func restampRegistrations(_ database: Database, _ shown: StreamRecords) throws {
        let registrations = RegistrationTable(database: database)
        let looks = HubLookTable(database: database)
        for var record in try registrations.records() {
            record.revision = try RegistryState.nextRevision(database)
            record.generation = shown.generation(of: record, stampedWith: record.revision)
            record.hub = try looks.numbers(of: record.name) ?? record.hub
            try registrations.put(record)
            try looks.forgetNumbers(of: record.name)
        }
        for command in try AcceptedCommandTable(database: database).all() {
            try database.execute(
                sql: "UPDATE accepted_commands SET revision = ? WHERE command = ?",
                arguments: [try RegistryState.nextRevision(database), command.id])
        }
    }

    /// Outcomes that nobody has been told of come after their records, as ever.
    private static func restampOutcomes(_ database: Database, above announced: Int64) throws {
        for outcome in try OutcomeTable(database: database).outcomes(above: announced) {
            try database.execute(
                sql: "UPDATE outcomes SET revision = ? WHERE command = ?",
                arguments: [try RegistryState.nextRevision(database), outcome.operation.id])
        }
    }

    private static func raiseIncarnation(_ database: Database, atLeast incarnation: Int64) throws {
        try database.execute(
            sql: "UPDATE registry SET incarnation = MAX(incarnation + 1, ?) WHERE id = 1", arguments: [incarnation])
    }
}
