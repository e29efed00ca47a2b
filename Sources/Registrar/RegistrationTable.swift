import Catalog
import GRDB
import JSON

/// Registered models, within one transaction.
struct RegistrationTable {
    let database: Database

    func record(named name: String) throws -> RegistrationRecord? {
        try String.fetchOne(database, sql: "SELECT record FROM registrations WHERE name = ?", arguments: [name])
            .map { try JSONCoding.decode(RegistrationRecord.self, from: $0) }
    }

    /// All that have a revision above `revision`, lowest first.
    func records(above revision: Int64 = 0) throws -> [RegistrationRecord] {
        try String.fetchAll(
            database, sql: "SELECT record FROM registrations WHERE revision > ? ORDER BY revision",
            arguments: [revision]
        ).map { try JSONCoding.decode(RegistrationRecord.self, from: $0) }
    }

    /// Makes or replaces the record.
    func put(_ record: RegistrationRecord) throws {
        try database.execute(
            sql: """
                INSERT INTO registrations (name, revision, record) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, record = excluded.record
                """,
            arguments: [record.name, record.revision, try JSONCoding.text(record)])
        try TombstoneTable(database: database).forget(.registration, record.name)
    }

    func delete(named name: String, revision: Int64, at now: Int64) throws {
        try database.execute(sql: "DELETE FROM registrations WHERE name = ?", arguments: [name])
        try TombstoneTable(database: database).insert(.registration, name, revision: revision, at: now)
    }
}
