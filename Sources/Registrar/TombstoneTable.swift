import Catalog
import GRDB

/// What has been removed, of every kind, within one transaction; kept for a day so that it can be announced.
struct TombstoneTable {
    let database: Database

    func insert(_ kind: RecordKind, _ id: String, revision: Int64, at now: Int64) throws {
        try database.execute(
            sql: "INSERT INTO tombstones (kind, id, revision, at) VALUES (?, ?, ?, ?)",
            arguments: [kind.rawValue, id, revision, now])
    }

    /// For a record that was made anew: it outranks its older tombstone.
    func forget(_ kind: RecordKind, _ id: String) throws {
        try database.execute(
            sql: "DELETE FROM tombstones WHERE kind = ? AND id = ?", arguments: [kind.rawValue, id])
    }

    /// Those that have a revision above `revision`, as they are announced. A kind that this version does not know, left
    /// by a later one, is an error of that downgrade.
    func all(above revision: Int64 = 0) throws -> [RegistryChange] {
        try Row.fetchAll(
            database, sql: "SELECT kind, id, revision FROM tombstones WHERE revision > ?", arguments: [revision]
        ).map { row in
            let name: String = row["kind"]
            guard let kind = RecordKind(known: name) else {
                throw RegistryStoreError(.newerVersion, "the database holds records of the unknown kind \(name)")
            }
            return RegistryChange(tombstoneOf: kind, id: row["id"], revision: row["revision"])
        }
    }
}
