import Catalog
import GRDB

/// Registered models, within one transaction.
struct RegistrationTable {
    let database: Database

    func record(named name: String) throws -> RegistrationRecord? {
        try String.fetchOne(database, sql: "SELECT record FROM registrations WHERE name = ?", arguments: [name])
            .map { try JSON.decode(RegistrationRecord.self, from: $0) }
    }

    /// All that have a revision above `revision`, lowest first.
    func records(above revision: Int64 = 0) throws -> [RegistrationRecord] {
        try String.fetchAll(
            database, sql: "SELECT record FROM registrations WHERE revision > ? ORDER BY revision",
            arguments: [revision]
        ).map { try JSON.decode(RegistrationRecord.self, from: $0) }
    }

    /// Makes or replaces the record.
    ///
    /// - Parameter dueAt: milliseconds since 1970 when the Hub is to be asked for its live numbers again.
    func put(_ record: RegistrationRecord, dueAt: Int64) throws {
        try database.execute(
            sql: """
                INSERT INTO registrations (name, revision, due_at, record) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, due_at = excluded.due_at,
                    record = excluded.record
                """,
            arguments: [record.name, record.revision, dueAt, try JSON.encode(record)])
        try TombstoneTable(database: database).forget(.registration, record.name)
    }

    func dueAt(_ name: String) throws -> Int64? {
        try Int64.fetchOne(database, sql: "SELECT due_at FROM registrations WHERE name = ?", arguments: [name])
    }

    func delete(named name: String, revision: Int64, at now: Int64) throws {
        try database.execute(sql: "DELETE FROM registrations WHERE name = ?", arguments: [name])
        try TombstoneTable(database: database).insert(.registration, name, revision: revision, at: now)
    }
}
