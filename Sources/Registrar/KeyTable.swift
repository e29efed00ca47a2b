import Catalog
import GRDB
import JSON

/// API keys, within one transaction.
struct KeyTable {
    let database: Database

    func record(id: String) throws -> KeyRecord? {
        try String.fetchOne(database, sql: "SELECT record FROM keys WHERE id = ?", arguments: [id])
            .map { try JSONCoding.decode(KeyRecord.self, from: $0) }
    }

    /// All that have a revision above `revision`, lowest first.
    func records(above revision: Int64 = 0) throws -> [KeyRecord] {
        try String.fetchAll(
            database, sql: "SELECT record FROM keys WHERE revision > ? ORDER BY revision", arguments: [revision]
        ).map { try JSONCoding.decode(KeyRecord.self, from: $0) }
    }

    func put(_ record: KeyRecord) throws {
        try database.execute(
            sql: """
                INSERT INTO keys (id, revision, record) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, record = excluded.record
                """,
            arguments: [record.id, record.revision, try JSONCoding.text(record)])
        try TombstoneTable(database: database).forget(.key, record.id)
    }

    func delete(id: String, revision: Int64, at now: Int64) throws {
        try database.execute(sql: "DELETE FROM keys WHERE id = ?", arguments: [id])
        try TombstoneTable(database: database).insert(.key, id, revision: revision, at: now)
    }
}
