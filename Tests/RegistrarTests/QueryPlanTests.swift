import Catalog
import GRDB
import Synchronization
import Testing

@testable import Registrar

/// SQLite's own plan of each statement that the store runs: with a day of outcomes or 10,000 registrations a scan of a
/// table would take longer than the command.
@Suite struct QueryPlanTests {
    @Test func noStatementOfTheStoreScansATable() async throws {
        let bench = try Bench()
        let statements = Mutex<Set<String>>([])
        try await bench.store.database.writeWithoutTransaction { database in
            database.trace(options: .statement) { event in
                if case .statement(let statement) = event { _ = statements.withLock { $0.insert(statement.sql) } }
            }
        }
        try await use(bench)
        try await bench.store.database.writeWithoutTransaction { $0.trace(options: []) }
        let seen = statements.withLock { $0 }.filter(Self.hasPlan).sorted()
        #expect(seen.count > 25, "the trace has to show the statements of the store")
        for sql in seen {
            let plan = try await plan(of: sql, in: bench.store)
            #expect(plan.allSatisfy { Self.isCheap($0, sql) }, "\(sql): \(plan)")
        }
    }

    /// Everything that a registrar does in a day, but for taking over a stream.
    private func use(_ bench: Bench) async throws {
        let store = bench.store
        try await store.create(draft(1))
        _ = try await store.execute(command("u", .updateEndpoint(id: uuid(1), change { $0.name = "a" })), at: noon)
        _ = try await store.execute(
            command("a", .registerModel(RegistrationRequest(repo: "Org/Model"))), at: noon)
        let accepted = try #require(try await store.accepted().first)
        _ = try await store.finish(
            accepted, .registered(registration("Org/Model", commit: "c1")), at: noon, dueAt: noon)
        #expect(try await store.dueRegistrations(at: noon, limit: 4) == ["org/model"])
        let info = HubInfo(downloads: 7, likes: 3, lastModified: nil, fetchedAt: noon)
        try await store.updateHubInfo("org/model", (info, "c1"), dueAt: noon)
        try await store.updateHubInfo("org/model", nil, dueAt: noon)
        try await bench.announcer.announce()
        try await bench.announcer.checkpoint(at: noon)
        try await bench.announcer.announceEverything()
        let draft = KeyDraft(
            id: uuid(7), name: "k", digest: String(repeating: "a", count: 64), scopes: [.models])
        _ = try await store.execute(command("k", .createKey(draft)), at: noon)
        _ = try await store.execute(command("r", .revokeKey(id: uuid(7))), at: noon)
        _ = try await store.execute(command("m", .deleteModel(name: "org/model")), at: noon)
        _ = try await store.execute(command("d", .deleteEndpoint(id: uuid(1))), at: noon)
        _ = try await store.execute(command("d", .deleteEndpoint(id: uuid(2)), fingerprint: "other"), at: noon)
        _ = try await store.apply(try ConfiguredEndpoints("x=http://10.0.0.9"), at: noon)
        try await store.prune(at: noon)
    }

    private static func hasPlan(_ sql: String) -> Bool {
        ["SELECT", "UPDATE", "DELETE", "INSERT"].contains { sql.hasPrefix($0) }
    }

    private func plan(of sql: String, in store: RegistryStore) async throws -> [String] {
        try await store.database.read { database in
            let statement = try database.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
            // The values have no part in the plan: the tables have no statistics.
            let values = (0..<sql.filter { $0 == "?" }.count).map { _ in DatabaseValue.null }
            return try Row.fetchAll(statement, arguments: StatementArguments(values)).map { $0["detail"] }
        }
    }

    /// A checkpoint lists all that lives. Of registrations, whose rows are long, it reads an index alone.
    private static func isCheap(_ step: String, _ sql: String) -> Bool {
        guard step.hasPrefix("SCAN") else { return !step.contains("TEMP B-TREE") }
        return ["SELECT id, revision FROM endpoints", "SELECT id, revision FROM keys"].contains(sql)
            || step.contains("registrations USING COVERING INDEX")
    }
}
