import Catalog
import Foundation
import Testing

@testable import Registrar

@Suite struct CommandExecutionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var action: Command.Action
        var status: Int
        var code: String?

        init(_ description: String, _ action: Command.Action, _ status: Int, _ code: String? = nil) {
            testDescription = description
            self.action = action
            self.status = status
            self.code = code
        }
    }

    /// Each against a registry that has gpu-1 and gpu-2.
    static let cases = [
        Case("a new endpoint", .createEndpoint(draft(3)), 201),
        Case("the same name", .createEndpoint(draft(3, name: "gpu-1")), 409, "name_taken"),
        Case("the same URL", .createEndpoint(draft(3, url: "http://10.0.0.1:8000")), 409, "base_url_taken"),
        Case(
            "the same URL with /v1", .createEndpoint(draft(3, url: "http://10.0.0.1:8000/v1/")), 409, "base_url_taken"),
        Case("a name with a space", .createEndpoint(draft(3, name: "gpu 3")), 400, "invalid_name"),
        Case("a URL of another scheme", .createEndpoint(draft(3, url: "ftp://10.0.0.3")), 400, "invalid_base_url"),
        Case(
            "an interval of 0",
            .createEndpoint(
                EndpointDraft(id: uuid(3), name: "gpu-3", baseURL: "http://10.0.0.3", pollIntervalSeconds: 0)),
            400, "invalid_poll_interval"),
        Case(
            "an id that is no UUID", .createEndpoint(EndpointDraft(id: "three", name: "gpu-3", baseURL: "http://c")),
            503, "command_malformed"),
        Case(
            "an id that is in use", .createEndpoint(draft(1, name: "gpu-3", url: "http://10.0.0.3")), 422,
            "idempotency_key_reused"),
        Case("a change of name", .updateEndpoint(id: uuid(1), change { $0.name = "a100" }), 200),
        Case("its own name", .updateEndpoint(id: uuid(1), change { $0.name = "gpu-1" }), 200),
        Case("another's name", .updateEndpoint(id: uuid(1), change { $0.name = "gpu-2" }), 409, "name_taken"),
        Case(
            "another's URL", .updateEndpoint(id: uuid(1), change { $0.baseURL = "http://10.0.0.2:8000/" }), 409,
            "base_url_taken"),
        Case("a wrong URL", .updateEndpoint(id: uuid(1), change { $0.baseURL = "gpu" }), 400, "invalid_base_url"),
        Case(
            "a wrong interval", .updateEndpoint(id: uuid(1), change { $0.pollIntervalSeconds = .set(3601) }), 400,
            "invalid_poll_interval"),
        Case("a change of nobody", .updateEndpoint(id: uuid(9), change { $0.name = "x" }), 404, "endpoint_not_found"),
        Case("a removal", .deleteEndpoint(id: uuid(1)), 204),
        Case("a removal of nobody", .deleteEndpoint(id: uuid(9)), 404, "endpoint_not_found"),
    ]

    @Test("Each command has its answer", arguments: cases)
    func answers(_ example: Case) async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1))
        try await store.create(draft(2))
        let before = try await store.records()

        let execution = try await store.execute(command("c", example.action), at: noon + 5000)

        #expect(execution.operation.status == example.status)
        #expect(execution.operation.error?.code == example.code)
        #expect(execution.operation.state == (example.code == nil ? .succeeded : .failed))
        #expect(execution.operation.at == noon + 5000)
        #expect(try await store.state().revision == 3)
        if example.code != nil {
            #expect(try await store.records() == before)
            #expect(execution.operation.revision == nil)
        } else {
            #expect(execution.operation.revision == 3)
        }
    }

    @Test func aNewRecordHoldsWhatWasAsked() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        var asked = draft(1, url: "http://GPU.example:80/v1/", key: "sealed")
        asked.labels = ["rack": "7"]
        asked.maxConcurrency = 4
        try await store.create(asked)
        #expect(
            try await store.record(1)
                == EndpointRecord(
                    id: uuid(1), name: "gpu-1", baseURL: "http://gpu.example", labels: ["rack": "7"], maxConcurrency: 4,
                    sealedAPIKey: "sealed", generation: 1, revision: 1, createdAt: noon / 1000))
    }

    struct ChangeCase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: EndpointChange
        var generation: Int64
        var key: String?
        var revision: Int64 = 2
    }

    @Test(
        "A new generation where URL, kind, or key change; the key does not follow to another origin",
        arguments: [
            ChangeCase(testDescription: "name", change: change { $0.name = "a" }, generation: 1, key: "sealed"),
            ChangeCase(
                testDescription: "draining", change: change { $0.draining = true }, generation: 1, key: "sealed"),
            ChangeCase(
                testDescription: "interval", change: change { $0.pollIntervalSeconds = .set(7) }, generation: 1,
                key: "sealed"),
            ChangeCase(testDescription: "kind", change: change { $0.kind = .vllm }, generation: 2, key: "sealed"),
            ChangeCase(
                testDescription: "path", change: change { $0.baseURL = "http://10.0.0.1:8000/b" }, generation: 2,
                key: "sealed"),
            ChangeCase(testDescription: "host", change: change { $0.baseURL = "http://other:8000" }, generation: 2),
            ChangeCase(testDescription: "port", change: change { $0.baseURL = "http://10.0.0.1:9" }, generation: 2),
            ChangeCase(
                testDescription: "scheme", change: change { $0.baseURL = "https://10.0.0.1:8000" }, generation: 2),
            ChangeCase(
                testDescription: "host and key",
                change: change {
                    $0.baseURL = "http://other:8000"
                    $0.sealedAPIKey = .set("new")
                }, generation: 2, key: "new"),
            ChangeCase(
                testDescription: "key", change: change { $0.sealedAPIKey = .set("new") }, generation: 2, key: "new"),
            ChangeCase(testDescription: "no key", change: change { $0.sealedAPIKey = .clear }, generation: 2),
            ChangeCase(testDescription: "nothing", change: EndpointChange(), generation: 1, key: "sealed", revision: 1),
        ])
    func generations(_ example: ChangeCase) async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1, key: "sealed"))
        let execution = try await store.execute(
            command("c", .updateEndpoint(id: uuid(1), example.change)), at: noon)
        #expect(execution.operation.status == 200)
        let record = try #require(await store.record(1))
        #expect(record.generation == example.generation)
        #expect(record.sealedAPIKey == example.key)
        #expect(record.revision == example.revision)
    }

    @Test func theSameCommandHasOneEffectAndOneAnswer() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let create = command("c", .createEndpoint(draft(1)))
        let first = try await store.execute(create, at: noon)
        // Also when it comes again after its deadline, and from another process.
        let again = try await files.open().execute(create, at: noon + 60_000)
        #expect(!first.isRepeat)
        #expect(again == Execution(operation: first.operation, isRepeat: true))
        #expect(try await store.state().revision == 1)
        #expect(try await store.records().count == 1)
    }

    @Test func anotherRequestUnderTheSameIdIsRefusedUnderItsOwn() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        try await store.create(draft(1))
        let other = command("create-\(uuid(1))", .deleteEndpoint(id: uuid(1)), fingerprint: "other")
        let refused = try await store.execute(other, at: noon)
        #expect(refused.operation.id == other.request)
        #expect(refused.operation.status == 422)
        #expect(refused.operation.error?.code == "idempotency_key_reused")
        #expect(!refused.isRepeat)
        #expect(try await store.records().count == 1)
        let again = try await store.execute(other, at: noon)
        #expect(again == Execution(operation: refused.operation, isRepeat: true))
        #expect(try await store.state().revision == 2)
    }

    @Test func anExpiredCommandIsNeverDoneLate() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let late = command("c", .createEndpoint(draft(1)), deadline: noon)
        let execution = try await store.execute(late, at: noon + 1)
        #expect(execution.operation.state == .expired)
        #expect(execution.operation.error?.code == "command_expired")
        // A clock that was set back does not bring it to life.
        #expect(try await store.execute(late, at: noon - 1).operation == execution.operation)
        #expect(try await store.records().isEmpty)
        #expect(
            try await store.execute(command("d", .createEndpoint(draft(1)), deadline: noon), at: noon).operation.status
                == 201)
    }

    @Test func aFailedOutcomeStandsAndDoesNotReplaceOne() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let create = command("c", .createEndpoint(draft(1)))
        let failed = try await store.fail(
            DeliveryReading.Identity(id: create.id, fingerprint: create.fingerprint), because: .undeliverable, at: noon)
        #expect(failed.operation.state == .failed)
        #expect(try await store.execute(create, at: noon) == Execution(operation: failed.operation, isRepeat: true))
        try await store.create(draft(2))
        let done = try await store.fail(
            DeliveryReading.Identity(id: "create-\(uuid(2))", fingerprint: ""), because: .undeliverable, at: noon)
        #expect(done.operation.status == 201)
        #expect(done.isRepeat)
    }

    @Test("Two connections on one file give each revision once", .timeLimit(.minutes(1)))
    func concurrent() async throws {
        let files = try TemporaryDatabase()
        let stores = [try files.open(), try files.open()]
        let patience = Patience(logger: quiet)
        let perStore = 40
        let executions = try await withThrowingTaskGroup(of: Execution.self) { group in
            for number in 1...perStore {
                for (index, store) in stores.enumerated() {
                    // Both ask for each name: one gets it.
                    let asked = draft(number + index * 100, name: "gpu-\(number)", url: "http://\(number).\(index)")
                    let asking = command("c\(number)-\(index)", .createEndpoint(asked))
                    group.addTask {
                        try await patience.until("a test") { try await store.execute(asking, at: noon) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let operations = executions.map(\.operation)
        #expect(operations.count { $0.status == 201 } == perStore)
        #expect(operations.count { $0.error?.code == "name_taken" } == perStore)
        #expect(Set(operations.compactMap(\.revision)).count == perStore)
        #expect(try await stores[0].state().revision == Int64(2 * perStore))
        #expect(try await stores[1].records().count == perStore)
    }

    @Test func outcomesAreForgottenAfterADayOnceAnnounced() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        let day: Int64 = 24 * 3600 * 1000
        try await store.create(draft(1))
        let remove = command("d", .deleteEndpoint(id: uuid(1)))
        _ = try await store.execute(remove, at: noon)
        try await store.prune(at: noon + day + 1)
        #expect(try await store.execute(remove, at: noon).isRepeat, "not announced, hence kept")
        try await store.settle()
        try await store.prune(at: noon + day)
        #expect(try await store.execute(remove, at: noon).isRepeat, "not older than a day")
        try await store.prune(at: noon + day + 1)
        #expect(try await store.execute(remove, at: noon).operation.status == 404)
        #expect(words(try await store.everything().messages) == ["operation d 404"])
    }

    @Test("During a change of secret keys a repeat is known by any key that both gateways have")
    func fingerprintsOfSeveralKeys() async throws {
        let files = try TemporaryDatabase()
        let store = try files.open()
        func create(_ fingerprints: [String]) -> Command {
            Command(
                id: "c", request: "r-\(fingerprints)", caller: "tests", fingerprint: fingerprints[0],
                otherFingerprints: fingerprints.count > 1 ? Array(fingerprints.dropFirst()) : nil,
                deadline: noon + 1, action: .createEndpoint(draft(1)))
        }
        let first = try await store.execute(create(["by-old", "by-new"]), at: noon)
        #expect(first.operation.fingerprint == "by-old")
        for fingerprints in [["by-new"], ["by-old"], ["by-new", "by-newest"]] {
            let again = try await store.execute(create(fingerprints), at: noon)
            #expect(again.isRepeat && again.operation.status == 201)
            #expect(again.operation.fingerprint == fingerprints[0], "its gateway has to know it as its own")
        }
        #expect(try await store.execute(create(["by-another"]), at: noon).operation.status == 422)
    }
}
