import Catalog
import GRDB
import Testing

@testable import Registrar

@Suite struct KeyCommandTests {
    private let digest = String(repeating: "0123456789abcdef", count: 4)

    private func draft(
        _ number: Int = 1, name: String = "laptop", scopes: [Scope] = [.inference, .models], models: [String]? = nil
    ) -> KeyDraft {
        KeyDraft(id: uuid(number), name: name, digest: digest, scopes: scopes, models: models, expiresAt: 2_000_000_000)
    }

    private func keys(_ store: RegistryStore) async throws -> [KeyRecord] {
        try await store.database.read { try KeyTable(database: $0).records() }
    }

    private func changes(_ messages: [TracedMessage]) -> [RegistryChange] {
        messages.compactMap { item in
            if case .registryChanged(let change) = item.message { change } else { nil }
        }
    }

    @Test func aKeyIsMadeAnnouncedAndKept() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let execution = try await store.execute(command("c", .createKey(draft(models: ["org/*"]))), at: noon)
        #expect(execution.operation.status == 201 && execution.operation.result == uuid(1))
        let record = KeyRecord(
            id: uuid(1), name: "laptop", digest: digest, scopes: [.inference, .models], models: ["org/*"],
            expiresAt: 2_000_000_000, revision: 1, createdAt: noon / 1000)
        #expect(try await keys(store) == [record])
        let backlog = try #require(await store.backlog())
        #expect(backlog.messages.first?.message == .registryChanged(RegistryChange(record)))
        #expect(
            backlog.messages.last?.message == .operationChanged(execution.operation),
            "the record comes before its operation")
        try store.database.close()
        #expect(try await keys(files.open()) == [record])
    }

    @Test func aRepeatHasNoSecondEffectWhateverDigestItBrings() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let first = try await store.execute(command("c", .createKey(draft())), at: noon)
        var second = draft()
        second.digest = String(repeating: "f", count: 64)
        let again = try await store.execute(command("c", .createKey(second)), at: noon + 1)
        #expect(again.isRepeat && again.operation == first.operation)
        #expect(try await keys(store).map(\.digest) == [digest])
        // The id lives on while the outcome is forgotten: its key is not replaced.
        let late = try await store.execute(command("d", .createKey(second)), at: noon)
        #expect(late.operation.status == 422 && late.operation.error?.code == "idempotency_key_reused")
        #expect(try await keys(store).map(\.digest) == [digest])
    }

    @Test func revokingLeavesATombstone() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        _ = try await store.execute(command("c", .createKey(draft())), at: noon)
        try await store.settle()
        let revoke = command("r", .revokeKey(id: uuid(1)))
        let execution = try await store.execute(revoke, at: noon)
        #expect(execution.operation.state == .succeeded && execution.operation.status == 204)
        #expect(try await keys(store).isEmpty)
        let backlog = try #require(await store.backlog())
        #expect(changes(backlog.messages) == [RegistryChange(tombstoneOf: .key, id: uuid(1), revision: 2)])
        #expect(try await store.execute(revoke, at: noon).isRepeat)
        let missing = try await store.execute(command("s", .revokeKey(id: uuid(1))), at: noon)
        #expect(missing.operation.status == 404 && missing.operation.error?.code == "key_not_found")
    }

    @Test func checkpointsAndANewStreamNameEveryKey() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(RegistrarTests.draft(5))
        _ = try await store.execute(command("c", .createKey(draft())), at: noon)
        _ = try await store.execute(command("d", .createKey(draft(2))), at: noon)
        _ = try await store.execute(command("r", .revokeKey(id: uuid(2))), at: noon)
        let entries = try await store.checkpoint().entries
        #expect(
            entries == [
                CheckpointEntry(kind: .endpoint, id: uuid(5), revision: 1),
                CheckpointEntry(kind: .key, id: uuid(1), revision: 2),
            ])
        try await store.settle()
        let all = changes(try await store.everything().messages)
        #expect(all.compactMap(\.key).map(\.id) == [uuid(1)])
        #expect(all.contains(RegistryChange(tombstoneOf: .key, id: uuid(2), revision: 4)))
    }

    @Test func aRestoredRegistrysKeysBecomeTheNewest() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        _ = try await store.execute(command("c", .createKey(draft())), at: noon)
        _ = try await store.execute(command("d", .createKey(draft(2))), at: noon)
        try await store.settle()
        _ = try await store.restamp(above: 50, incarnation: 7)
        #expect(try await keys(store).map(\.revision) == [51, 52])
        #expect(try await keys(store).map(\.id) == [uuid(1), uuid(2)])
        #expect(changes(try #require(await store.backlog()).messages).compactMap(\.key).map(\.revision) == [51, 52])
    }

    @Test func whatAGatewayWouldNotSendIsRefused() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        var wrong: [(KeyDraft, String)] = [
            (draft(name: ""), "invalid_name"), (draft(scopes: []), "invalid_scopes"),
            (draft(models: []), "invalid_models"), (draft(scopes: [.admin], models: ["a"]), "invalid_models"),
        ]
        for edit in [
            { $0.id = "x" }, { $0.id = "ABCDEF00-0000-4000-8000-000000000001" }, { $0.digest = "" },
            { $0.digest = String(repeating: "F", count: 64) },
            { $0.digest = "rc_" + String(repeating: "a", count: 61) },
        ] as [(inout KeyDraft) -> Void] {
            var malformed = draft()
            edit(&malformed)
            wrong.append((malformed, Rejection.malformed.error.code))
        }
        for (number, (draft, code)) in wrong.enumerated() {
            let execution = try await store.execute(command("c\(number)", .createKey(draft)), at: noon)
            #expect(execution.operation.state == .failed)
            #expect(execution.operation.status == (code.hasPrefix("invalid") ? 400 : 503))
            #expect(execution.operation.error?.code == code)
        }
        #expect(try await keys(store).isEmpty)
    }
}
