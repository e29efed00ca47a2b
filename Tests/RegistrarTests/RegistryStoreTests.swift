import Catalog
import Foundation
import GRDB
import Synchronization
import TestSupport
import Testing

@testable import Registrar

@Suite struct RegistryStoreTests {
    @Test func aFreshFileIsPrivateAndDurable() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let attributes = try FileManager.default.attributesOfItem(atPath: files.location.path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let pragmas = try await store.database.read { database in
            try ["journal_mode", "synchronous", "foreign_keys"].map {
                try String.fetchOne(database, sql: "PRAGMA \($0)")
            }
        }
        #expect(pragmas == ["wal", "2", "1"])
        let state = try await store.state()
        #expect(UUID(uuidString: state.uuid) != nil)
        #expect(state.uuid == state.uuid.lowercased())
        #expect(state == RegistryState(uuid: state.uuid, incarnation: 0, revision: 0, announced: 0))
    }

    @Test func anExistingFileKeepsWhatItHolds() async throws {
        let files = try TemporaryDatabase()
        let first = try files.open()
        try await first.create(draft(1))
        let state = try await first.state()
        try first.database.close()
        let second = try files.open()
        #expect(try await second.state() == state)
        #expect(try await second.record(1)?.name == "gpu-1")
    }

    @Test func aFileOfALaterVersionIsRefused() throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try store.database.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99: of the future')")
        }
        let error = #expect(throws: RegistryStoreError.self) { try files.open() }
        #expect(error?.code == .newerVersion)
    }

    @Test func whatIsNoDatabaseIsRefused() throws {
        let files = try TemporaryDatabase()
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: files.location.path))
        let error = #expect(throws: RegistryStoreError.self) { try files.open() }
        #expect(error?.code == .unusable)
        #expect(error?.description.contains(files.location.path) == true)
    }

    @Test func aFolderThatIsNotThereIsSaid() throws {
        let files = try TemporaryDatabase()
        let location = try DatabaseLocation("sqlite:\(files.folder.path)/missing/registry.sqlite")
        let error = #expect(throws: RegistryStoreError.self) { try RegistryStore(location: location) }
        #expect(error?.description.contains("No such file or directory") == true)
    }

    @Test func registrarsThatStartTogetherShareANewFile() async throws {
        for _ in 0..<20 {
            let database = try TemporaryDatabase()
            let failures = await withTaskGroup(of: String?.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        await onThread {
                            do {
                                _ = try database.open()
                                return nil
                            } catch {
                                return "\(error)"
                            }
                        }
                    }
                }
                return await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
            }
            #expect(failures.isEmpty)
        }
    }

    @Test func anotherProcessThatIsMakingItIsWaitedFor() async throws {
        let database = try TemporaryDatabase()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: database.location.path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        let error = await #expect(throws: RegistryStoreError.self) {
            try await RegistryStore.opened(at: database.location, within: .zero)
        }
        #expect(error?.code == .busy && error?.description.contains("database is locked") == true)
        let pauses = Mutex(0)
        let store = try await RegistryStore.opened(at: database.location, within: .seconds(30)) { _ in
            pauses.withLock { $0 += 1 }
            try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        }
        #expect(pauses.withLock { $0 } == 1)
        #expect(try await store.records().isEmpty)
    }

    @Test("A crash before the commit leaves nothing, one after it leaves all to be announced")
    func crashes() async throws {
        struct Crash: Error {}
        let files = try TemporaryDatabase()
        let create = command("c", .createEndpoint(draft(1)))
        let before = try files.open { if $0 == .beforeCommit { throw Crash() } }
        await #expect(throws: Crash.self) { try await before.execute(create, at: noon) }
        #expect(try await before.state().revision == 0)
        #expect(try await before.backlog() == nil)

        let after = try files.open()
        _ = try await after.execute(create, at: noon)
        try after.database.close()

        let reopened = try files.open()
        #expect(try await reopened.execute(create, at: noon).isRepeat)
        let backlog = try #require(await reopened.backlog())
        #expect(words(backlog.messages) == ["gpu-1 1", "operation c 201"])
        #expect(backlog.through == 1)
    }

    @Test func theBacklogIsInOrderAndARecordComesBeforeItsOperation() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1))
        try await store.create(draft(2))
        _ = try await store.execute(command("no", .deleteEndpoint(id: uuid(9))), at: noon)
        _ = try await store.execute(command("gone", .deleteEndpoint(id: uuid(2))), at: noon)
        _ = try await store.execute(command("new", .updateEndpoint(id: uuid(1), change { $0.name = "a" })), at: noon)
        let backlog = try #require(await store.backlog())
        #expect(
            words(backlog.messages) == [
                "operation create-\(uuid(2)) 201", "operation no 404", "tombstone 4", "operation gone 204",
                "a 5", "operation create-\(uuid(1)) 201", "operation new 200",
            ])
        #expect(backlog.through == 5)
    }

    @Test("A record that is longer than 4 MiB is refused before the commit, with its size")
    func recordSize() async throws {
        let bench = try Bench()
        let refused = try await bench.register("Org/Long") { $0.chatTemplate = String(repeating: "a", count: 4 << 20) }
        #expect(refused.status == 400)
        #expect(refused.error?.code == "unsupported_artifact")
        #expect(refused.error?.message.contains("would be 4195") == true)
        #expect(refused.error?.message.contains(" at most 4194304 ") == true)
        #expect(try await bench.store.registration(named: "org/long") == nil)
        #expect(
            try await bench.register("Org/Short") { $0.chatTemplate = String(repeating: "a", count: 4_000_000) }.status
                == 201)
        let labels = ["l": String(repeating: "a", count: 5 << 20)]
        #expect(throws: Rejection.self) { try RecordSize.check(labels) }
    }

    @Test func theWatermarkOnlyRises() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        for number in 1...3 { try await store.create(draft(number)) }
        try await store.markAnnounced(through: 2)
        try await store.markAnnounced(through: 1)
        #expect(try await store.state().announced == 2)
        #expect(words(try #require(await store.backlog()).messages) == ["gpu-3 3", "operation create-\(uuid(3)) 201"])
        try await store.markAnnounced(through: 3)
        #expect(try await store.backlog() == nil)
    }

    @Test func everythingIsSaidAnewWithTheOperationsThatFollowersKeep() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1))
        try await store.create(draft(2))
        _ = try await store.execute(command("gone", .deleteEndpoint(id: uuid(2))), at: noon)
        try await store.settle()
        let kept = ["operation create-\(uuid(2)) 201", "tombstone 3", "operation gone 204"]
        #expect(
            words(try await store.everything().messages) == ["gpu-1 1", "operation create-\(uuid(1)) 201"] + kept)
        try await store.transaction { database in
            try database.execute(
                sql: "UPDATE registry SET revision = ?, announced = ?",
                arguments: [Operation.keptRevisions + 1, Operation.keptRevisions + 1])
        }
        #expect(words(try await store.everything().messages) == ["gpu-1 1"] + kept)
    }

    @Test("A restored database keeps the generations that the stream shows of the same servers and manifests")
    func restampingWhatTheStreamShows() async throws {
        let bench = try Bench()
        let store = bench.store
        for number in 1...4 { try await store.create(draft(number, key: "sealed")) }
        try await bench.register("Org/Same")
        try await bench.register("Org/Moved")
        var shown = StreamRecords()
        for var record in try await store.records() {
            record.generation += 20
            record.revision = 30
            switch record.id {
            case uuid(2): record.baseURL = "http://elsewhere"
            case uuid(3): record.sealedAPIKey = "another"
            case uuid(4): record.kind = .vllm
            default: record.name = "renamed"
            }
            shown.endpoints[record.id] = record
        }
        for name in ["org/same", "org/moved"] {
            shown.registrations[name] = try await store.registration(named: name)
            shown.registrations[name]?.generation = 25
        }
        shown.registrations["org/moved"]?.manifest.digest = "sha256:other"
        _ = try await store.restamp(above: 50, incarnation: 7, showing: shown)
        #expect(try await store.records().map(\.generation) == [21, 52, 53, 54])
        #expect(try await store.registration(named: "org/same")?.generation == 25)
        #expect(try await store.registration(named: "org/moved")?.generation == 56)
    }

    @Test("A restored database's records become the newest that the stream has seen")
    func restamping() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1))
        try await store.create(draft(2))
        try await store.markAnnounced(through: 1)
        let state = try await store.restamp(above: 50, incarnation: 7)
        #expect(state.incarnation == 8)
        #expect(state.announced == 1)
        let records = try await store.records()
        #expect(records.map(\.revision) == [51, 52])
        #expect(records.map(\.generation) == [51, 52])
        let backlog = try #require(await store.backlog())
        #expect(words(backlog.messages) == ["gpu-1 51", "gpu-2 52", "operation create-\(uuid(2)) 201"])
        #expect(backlog.through == state.revision)
        // A stream that is not ahead takes nothing back.
        let again = try await store.restamp(above: 3, incarnation: 2)
        #expect(again.incarnation == 9)
        #expect(try await store.records().map(\.revision) == [54, 55])
    }

    @Test func incarnationsRise() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        #expect(try await store.beginIncarnation().incarnation == 1)
        #expect(try await store.beginIncarnation(atLeast: 9).incarnation == 9)
        #expect(try await store.beginIncarnation(atLeast: 4).incarnation == 10)
    }

    @Test("Errors that go away by themselves are told from those that do not")
    func failures() {
        #expect(StoreFailure(DatabaseError(resultCode: .SQLITE_BUSY)) == .transient)
        #expect(StoreFailure(DatabaseError(resultCode: .SQLITE_FULL)) == .transient)
        #expect(StoreFailure(DatabaseError(resultCode: .SQLITE_BUSY_SNAPSHOT)) == .transient)
        #expect(StoreFailure(DatabaseError(resultCode: .SQLITE_CORRUPT)) == .fatal)
        #expect(StoreFailure(DatabaseError(resultCode: .SQLITE_CONSTRAINT)) == .particular)
    }
}
