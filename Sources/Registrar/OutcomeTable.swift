import Catalog
import GRDB
import JSON

/// What became of commands, within one transaction.
struct OutcomeTable {
    struct Outcome {
        var operation: Operation
        var fingerprint: String
        var trace: TraceContext?
        /// By which it is announced. Also outcomes that changed nothing have one; their operation's is nil.
        var revision: Int64
    }

    let database: Database

    func outcome(of command: String) throws -> Outcome? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM outcomes WHERE command = ?",
            arguments: [command]
        ).map { try decode($0) }
    }

    /// Returns the operation as it is announced: with the fingerprint of the request that it answers.
    func insert(
        _ operation: Operation, fingerprint: String, trace: TraceContext?, revision: Int64, at now: Int64
    ) throws -> Operation {
        try database.execute(
            sql:
                "INSERT INTO outcomes (command, fingerprint, trace, operation, revision, at) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                operation.id, fingerprint, try trace.map(JSONCoding.text), try JSONCoding.text(operation), revision,
                now,
            ])
        return Self.answer(operation, to: fingerprint, at: revision)
    }

    /// A command that could not be read has an empty fingerprint. Of several the first one is announced.
    private static func answer(_ operation: Operation, to fingerprint: String, at revision: Int64) -> Operation {
        var operation = operation
        operation.fingerprint = fingerprint.split(separator: " ").first.map(String.init)
        operation.sequence = revision
        return operation
    }

    /// The answer to a command whose id has been seen: the same for the same request; for another request under the
    /// same id an operation that carries the request's own id, since the command's own has its answer.
    func known(_ command: Command, at now: Int64) throws -> Execution? {
        let known: (operation: Operation, fingerprint: String)
        if let outcome = try outcome(of: command.id) {
            known = (outcome.operation, outcome.fingerprint)
        } else if let accepted = try AcceptedCommandTable(database: database).command(command.id) {
            known = (accepted.pending(step: "accepted", at: accepted.at), accepted.fingerprint)
        } else {
            return nil
        }
        if !command.fingerprints.isDisjoint(with: known.fingerprint.split(separator: " ").map(String.init)) {
            var operation = known.operation
            // The gateway knows its own request by its own fingerprint, whatever keys another gateway has.
            if operation.fingerprint != nil { operation.fingerprint = command.fingerprint }
            return Execution(operation: operation, isRepeat: true)
        }
        if let refusal = try self.outcome(of: command.request) {
            return Execution(operation: refusal.operation, isRepeat: true)
        }
        let rejection = Rejection.keyReused
        let revision = try RegistryState.nextRevision(database)
        let operation = try insert(
            rejection.operation(id: command.request, at: now), fingerprint: command.storedFingerprint,
            trace: command.trace, revision: revision, at: now)
        return Execution(operation: operation, isRepeat: false)
    }

    /// All that have a revision above `revision`, lowest first.
    func outcomes(above revision: Int64) throws -> [Outcome] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM outcomes WHERE revision > ? ORDER BY revision", arguments: [revision]
        ).map { try decode($0) }
    }

    private func decode(_ row: Row) throws -> Outcome {
        let fingerprint: String = row["fingerprint"]
        let revision: Int64 = row["revision"]
        let operation = try JSONCoding.decode(Operation.self, from: row["operation"] as String)
        return Outcome(
            operation: Self.answer(operation, to: fingerprint, at: revision), fingerprint: fingerprint,
            trace: try JSONCoding.decodeIfPresent(TraceContext.self, from: row["trace"]), revision: revision)
    }
}

extension Command {
    /// As the tables keep it: by each of the gateway's secret keys, separated by blanks.
    var storedFingerprint: String { ([fingerprint] + (otherFingerprints ?? [])).joined(separator: " ") }

    fileprivate var fingerprints: Set<String> { Set([fingerprint] + (otherFingerprints ?? [])) }
}
