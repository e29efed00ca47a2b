import Catalog
import GRDB
import JSON

/// When the Hub is asked again about each registration, and the live numbers that are newer than its record, within one
/// transaction.
struct HubLookTable {
    let database: Database

    /// Names of registrations that are due at `now` (milliseconds since 1970), the longest overdue first.
    func due(at now: Int64, limit: Int) throws -> [String] {
        try String.fetchAll(
            database, sql: "SELECT name FROM hub_looks WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            arguments: [now, limit])
    }

    /// - Parameters:
    ///   - dueAt: milliseconds since 1970.
    ///   - misses: questions in a row that the Hub did not answer.
    func schedule(_ name: String, dueAt: Int64, misses: Int = 0) throws {
        try database.execute(
            sql: """
                INSERT INTO hub_looks (name, due_at, misses) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, misses = excluded.misses
                """,
            arguments: [name, dueAt, misses])
    }

    func misses(of name: String) throws -> Int {
        try Int.fetchOne(database, sql: "SELECT misses FROM hub_looks WHERE name = ?", arguments: [name]) ?? 0
    }

    /// Live numbers that are newer than the record; nil where the record has the newest.
    func numbers(of name: String) throws -> HubInfo? {
        try JSONCoding.decodeIfPresent(
            HubInfo.self,
            from: try String.fetchOne(
                database, sql: "SELECT numbers FROM hub_looks WHERE name = ?", arguments: [name]))
    }

    func setNumbers(_ numbers: HubInfo, of name: String, revision: Int64) throws {
        try database.execute(
            sql: "UPDATE hub_looks SET numbers = ?, revision = ? WHERE name = ?",
            arguments: [try JSONCoding.text(numbers), revision, name])
    }

    /// For a record that was written with the newest numbers.
    func forgetNumbers(of name: String) throws {
        try database.execute(
            sql: "UPDATE hub_looks SET numbers = NULL, revision = NULL WHERE name = ?", arguments: [name])
    }

    /// Live numbers that have a revision above `revision`, as they are announced.
    func changes(above revision: Int64) throws -> [HubChange] {
        try Row.fetchAll(
            database, sql: "SELECT name, revision, numbers FROM hub_looks WHERE revision > ?", arguments: [revision]
        ).map { row in
            HubChange(
                registration: row["name"], revision: row["revision"],
                hub: try JSONCoding.decode(HubInfo.self, from: row["numbers"] as String))
        }
    }
}
