import Catalog
import GRDB

/// When the Hub is asked again for the live numbers of each registration, within one transaction.
struct HubLookTable {
    let database: Database

    /// Names of registrations that are due at `now` (milliseconds since 1970), the longest overdue first.
    func due(at now: Int64, limit: Int) throws -> [String] {
        try String.fetchAll(
            database, sql: "SELECT name FROM hub_looks WHERE due_at <= ? ORDER BY due_at LIMIT ?",
            arguments: [now, limit])
    }

    /// - Parameter dueAt: milliseconds since 1970.
    func schedule(_ name: String, dueAt: Int64) throws {
        try database.execute(
            sql: """
                INSERT INTO hub_looks (name, due_at) VALUES (?, ?)
                ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at
                """,
            arguments: [name, dueAt])
    }
}
