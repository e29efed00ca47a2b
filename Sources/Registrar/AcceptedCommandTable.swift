import Catalog
import GRDB
import JSON

/// A command that takes longer than a transaction: it has been accepted, and its outcome is still to come.
struct AcceptedCommand: Sendable, Hashable {
    enum Work: Sendable, Hashable, Codable {
        case register(RegistrationRequest)
        /// Looks the repository up and registers nothing.
        case preview(RegistrationRequest)
        case refresh(name: String, isApplied: Bool)
        case verify(name: String)
    }

    /// Of the command, and so of its operation.
    var id: String
    var fingerprint: String
    var trace: TraceContext?
    var work: Work
    /// The registry's revision at which it was accepted.
    var revision: Int64
    /// Milliseconds since 1970 when it was accepted.
    var at: Int64

    /// What its sender can be told until it has an outcome.
    func pending(step: String, at now: Int64) -> Operation {
        Operation(id: id, state: .pending, step: step, status: 202, sequence: revision, at: now)
    }
}

/// Commands that have been accepted and have no outcome yet, within one transaction.
struct AcceptedCommandTable {
    let database: Database

    func command(_ id: String) throws -> AcceptedCommand? {
        try Row.fetchOne(database, sql: "SELECT * FROM accepted_commands WHERE command = ?", arguments: [id])
            .map { try decode($0) }
    }

    func insert(_ command: AcceptedCommand) throws {
        try database.execute(
            sql: """
                INSERT INTO accepted_commands (command, fingerprint, trace, work, revision, at)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                command.id, command.fingerprint, try command.trace.map(JSONCoding.text),
                try JSONCoding.text(command.work),
                command.revision, command.at,
            ])
    }

    func delete(_ id: String) throws {
        try database.execute(sql: "DELETE FROM accepted_commands WHERE command = ?", arguments: [id])
    }

    /// Those accepted above `revision`, in the order in which they were.
    func all(above revision: Int64 = 0) throws -> [AcceptedCommand] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM accepted_commands WHERE revision > ? ORDER BY revision",
            arguments: [revision]
        ).map { try decode($0) }
    }

    private func decode(_ row: Row) throws -> AcceptedCommand {
        AcceptedCommand(
            id: row["command"], fingerprint: row["fingerprint"],
            trace: try JSONCoding.decodeIfPresent(TraceContext.self, from: row["trace"]),
            work: try JSONCoding.decode(AcceptedCommand.Work.self, from: row["work"] as String),
            revision: row["revision"],
            at: row["at"])
    }
}
