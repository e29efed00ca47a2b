import Catalog
import GRDB
import JSON

/// Endpoints and their tombstones, within one transaction.
struct EndpointTable {
    let database: Database

    func record(id: String) throws -> EndpointRecord? {
        try decode(String.fetchOne(database, sql: "SELECT record FROM endpoints WHERE id = ?", arguments: [id]))
    }

    func record(named name: String) throws -> EndpointRecord? {
        try decode(String.fetchOne(database, sql: "SELECT record FROM endpoints WHERE name = ?", arguments: [name]))
    }

    func record(baseURL: String) throws -> EndpointRecord? {
        try decode(
            String.fetchOne(database, sql: "SELECT record FROM endpoints WHERE base_url = ?", arguments: [baseURL]))
    }

    /// All that have a revision above `revision`, lowest first.
    func records(above revision: Int64 = 0) throws -> [EndpointRecord] {
        try String.fetchAll(
            database, sql: "SELECT record FROM endpoints WHERE revision > ? ORDER BY revision", arguments: [revision]
        ).map { try JSONCoding.decode(EndpointRecord.self, from: $0) }
    }

    /// Makes or replaces the record; an older tombstone of the same id is forgotten, since the record outranks it.
    func put(_ record: EndpointRecord) throws {
        try database.execute(
            sql: """
                INSERT INTO endpoints (id, name, base_url, revision, record) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, base_url = excluded.base_url,
                    revision = excluded.revision, record = excluded.record
                """,
            arguments: [record.id, record.name, record.baseURL, record.revision, try JSONCoding.text(record)])
        try TombstoneTable(database: database).forget(.endpoint, record.id)
    }

    func delete(id: String, revision: Int64, at now: Int64) throws {
        try database.execute(sql: "DELETE FROM endpoints WHERE id = ?", arguments: [id])
        try TombstoneTable(database: database).insert(.endpoint, id, revision: revision, at: now)
    }

    private func decode(_ text: String?) throws -> EndpointRecord? {
        try JSONCoding.decodeIfPresent(EndpointRecord.self, from: text)
    }
}
