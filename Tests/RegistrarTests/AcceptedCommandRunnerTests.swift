import Catalog
import GRDB
import ServiceLifecycle
import Synchronization
import Testing

@testable import Registrar

/// The runner on a real database, with a Hub and a stream in memory.
@Suite(.timeLimit(.minutes(1)))
struct AcceptedCommandRunnerTests {
    private func runner(
        _ bench: Bench, _ hub: FakeHub, at now: Int64 = noon,
        verify: @escaping AcceptedCommandRunner.Verification = { _, _, _ in }
    ) -> AcceptedCommandRunner {
        AcceptedCommandRunner(
            announcer: bench.announcer, hub: hub, verify: verify, failpoint: { _ in },
            schedule: HubSchedule(interval: .seconds(600)), logger: quiet, wallClock: { now })
    }

    /// Runs `runner` until `ids` have outcomes, and gives these.
    private func outcomes(
        of ids: [String], by runner: AcceptedCommandRunner, in bench: Bench, while body: () async throws -> Void = {}
    ) async throws -> [Operation] {
        let group = ServiceGroup(services: [runner], logger: quiet)
        let running = Task { try await group.run() }
        runner.becomeActive()
        runner.wake()
        try await body()
        var found: [Operation] = []
        while found.count < ids.count {
            await Task.yield()
            found = try await bench.store.database.read { database in
                try ids.compactMap { try OutcomeTable(database: database).outcome(of: $0)?.operation }
            }
        }
        await group.triggerGracefulShutdown()
        try await running.value
        return found
    }

    private func accept(_ bench: Bench, _ id: String, _ action: Command.Action) async throws {
        let execution = try await bench.store.execute(command(id, action), at: noon)
        #expect(execution.operation.state == .pending)
        #expect(execution.operation.status == 202)
    }

    private func register(_ bench: Bench, _ id: String, _ repo: String) async throws {
        try await accept(bench, id, .registerModel(RegistrationRequest(repo: repo)))
    }

    @Test func aRegistrationIsAcceptedLookedUpWrittenDownAndAnnounced() async throws {
        let bench = try Bench()
        try await register(bench, "a", "Org/Model")
        let outcome = try await outcomes(of: ["a"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)[0]
        #expect(outcome.status == 201)
        #expect(outcome.result == "org/model")
        let record = try #require(try await bench.store.registration(named: "org/model"))
        #expect(record.revision == outcome.revision)
        #expect(record.generation == record.revision)
        #expect(record.createdAt == noon / 1000)
        #expect(try await bench.store.accepted().isEmpty)
        let steps = bench.stream.published.compactMap { message -> String? in
            guard case .operationChanged(let operation) = message else { return nil }
            return operation.step ?? "\(operation.status)"
        }
        #expect(steps == ["resolving", "201"])
        let announced = bench.stream.published.contains { message in
            guard case .registryChanged(let change) = message else { return false }
            return change.registration?.name == "org/model"
        }
        #expect(announced)
    }

    @Test func aPreviewLooksUpAndRegistersNothing() async throws {
        let bench = try Bench()
        try await accept(bench, "a", .previewModel(RegistrationRequest(repo: "Org/Model")))
        try await accept(bench, "b", .previewModel(RegistrationRequest(repo: "Org/None")))
        let found = try await outcomes(of: ["a", "b"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)
        #expect(found[0].status == 200 && found[0].revision == nil && found[0].result == "org/model")
        #expect(found[0].preview?.commit == "c1" && found[0].preview?.files.isEmpty == false)
        #expect(found[1].state == .failed && found[1].status == 404 && found[1].preview == nil)
        #expect(try await bench.store.registration(named: "org/model") == nil)
        let announced = bench.stream.published.contains { message in
            if case .registryChanged = message { true } else { false }
        }
        #expect(!announced)
    }

    @Test func stepsAndOutcomeCarryTheTraceOfTheCommand() async throws {
        let bench = try Bench()
        let trace = try #require(
            TraceContext(parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", state: nil))
        var traced = command("a", .registerModel(RegistrationRequest(repo: "Org/Model")))
        traced.trace = trace
        _ = try await bench.store.execute(traced, at: noon)
        try await register(bench, "b", "Org/Other")
        let hub = FakeHub(["org/model": "c1", "org/other": "c2"])
        _ = try await outcomes(of: ["a", "b"], by: runner(bench, hub), in: bench)
        let withTrace = bench.stream.traced.filter { $0.trace == trace }.map(\.message)
        #expect(withTrace.count == 3, "a step, the record, the outcome")
        #expect(bench.stream.traced.filter { $0.trace == nil }.count == 3)
        #expect(
            withTrace.contains { if case .registryChanged(let change) = $0 { change.id == "org/model" } else { false } }
        )
    }

    @Test func ofTwoRegistrationsOfOneNameOneWinsAndTheOtherIsTold() async throws {
        let bench = try Bench()
        try await register(bench, "a", "Org/Model")
        try await register(bench, "b", "org/MODEL")
        let hub = FakeHub(["org/model": "c1"])
        let both = try await outcomes(of: ["a", "b"], by: runner(bench, hub), in: bench)
        #expect(both.map(\.status) == [201, 409])
        #expect(both[1].error?.code == "already_registered")
        #expect(hub.asked == ["org/model"], "the second one need not ask the Hub")
    }

    @Test func theSecondOfANameIsTriedWhereTheFirstFails() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        try await register(bench, "b", "org/model")
        let hub = FakeHub(["org/model": "c1"])
        hub.edit { $0.held = ["org/model"] }
        hub.edit { $0.rejections["org/model"] = .alreadyRegistered("elsewhere") }
        let first = Task {
            while hub.asked.isEmpty { await Task.yield() }
            hub.release("org/model")
            while hub.asked.count < 2 { await Task.yield() }
        }
        hub.edit { state in
            state.rejections["org/model"] = Rejection(
                status: 429, APIError(type: "rate_limit_error", code: "hub_rate_limited", message: "wait"),
                retryAfter: 55)
        }
        let both = try await outcomes(of: ["a", "b"], by: runner(bench, hub), in: bench)
        await first.value
        #expect(both.map(\.status) == [429, 429])
        #expect(both[0].retryAfter == 55)
        #expect(hub.asked == ["org/model", "org/model"])
    }

    @Test func whatWasAcceptedIsDoneByTheRegistrarThatComesNext() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        let slow = FakeHub(["org/model": "c1"])
        slow.edit { $0.held = ["org/model"] }
        let first = runner(bench, slow)
        let group = ServiceGroup(services: [first], logger: quiet)
        let running = Task { try await group.run() }
        first.becomeActive()
        first.wake()
        while slow.asked.isEmpty { await Task.yield() }
        await group.triggerGracefulShutdown()
        try await running.value
        #expect(try await bench.store.accepted().map(\.id) == ["a"], "stopped in the middle, nothing is written down")
        let outcome = try await outcomes(of: ["a"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)[0]
        #expect(outcome.status == 201)
    }

    @Test func anOutcomeIsWrittenDownOnceWhoeverWasFaster() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        let accepted = try await bench.store.accepted()[0]
        let record = registration("Org/Model", commit: "c1")
        let first = try await bench.store.finish(accepted, .registered(record), at: noon, dueAt: noon)
        let second = try await bench.store.finish(accepted, .rejected(.expired), at: noon, dueAt: noon)
        #expect(first?.status == 201)
        #expect(second == nil)
    }

    @Test func aRepeatOfAnAcceptedCommandIsPendingAndAnotherBodyIsRefused() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        let action = Command.Action.registerModel(RegistrationRequest(repo: "org/model"))
        let again = try await bench.store.execute(command("a", action), at: noon + 5)
        #expect(again.isRepeat)
        #expect(again.operation.state == .pending)
        let other = try await bench.store.execute(command("a", action, fingerprint: "other"), at: noon + 5)
        #expect(other.operation.status == 422)
        #expect(other.operation.id.hasPrefix("request-"))
        #expect(try await bench.store.accepted().count == 1)
    }

    @Test func oneThatNobodyCouldBeginForTenMinutesIsNotDoneAnyMore() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        let hub = FakeHub(["org/model": "c1"])
        let late = runner(bench, hub, at: noon + AcceptedCommandRunner.lifetime + 1)
        let outcome = try await outcomes(of: ["a"], by: late, in: bench)[0]
        #expect(outcome.error?.code == "command_expired")
        #expect(hub.asked.isEmpty)
    }

    @Test func aRefreshShowsWhatChangedAndAppliesItOnlyWhenAsked() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        _ = try await outcomes(of: ["a"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)
        let before = try #require(try await bench.store.registration(named: "org/model"))

        let moved = FakeHub(["org/model": "c2"])
        try await accept(bench, "b", .refreshModel(name: "org/model", isApplied: false))
        _ = try await outcomes(of: ["b"], by: runner(bench, moved), in: bench)
        let shown = try #require(try await bench.store.registration(named: "org/model"))
        #expect(shown.commit == "c1")
        #expect(shown.drift?.commit == "c2")
        #expect(shown.manifest == before.manifest)
        #expect(shown.generation == before.generation)

        try await accept(bench, "c", .refreshModel(name: "org/model", isApplied: true))
        _ = try await outcomes(of: ["c"], by: runner(bench, moved), in: bench)
        let applied = try #require(try await bench.store.registration(named: "org/model"))
        #expect(applied.commit == "c2")
        #expect(applied.manifest.commit == "c2")
        #expect(applied.drift == nil)
        #expect(applied.generation == applied.revision)
        #expect(applied.createdAt == before.createdAt)
    }

    @Test func aRecordThatCannotBeReadIsNoRecordThatIsMissing() async throws {
        let bench = try Bench()
        try await bench.register("org/model")
        try await bench.store.settle()
        try await accept(bench, "b", .refreshModel(name: "org/model", isApplied: false))
        try await bench.store.transaction { try $0.execute(sql: "UPDATE registrations SET record = '{'") }
        let outcome = try await outcomes(of: ["b"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)[0]
        #expect(outcome.status == 503)
        #expect(outcome.error?.code == "command_failed")
    }

    @Test func refreshAndVerifyOfWhatIsNotRegisteredAreRefusedAtOnce() async throws {
        let bench = try Bench()
        for action in [
            Command.Action.refreshModel(name: "org/none", isApplied: false), .verifyModel(name: "org/none"),
            .deleteModel(name: "org/none"),
        ] {
            let execution = try await bench.store.execute(command("\(action)", action), at: noon)
            #expect(execution.operation.status == 404)
            #expect(execution.operation.error?.code == "model_not_registered")
        }
        #expect(try await bench.store.accepted().isEmpty)
    }

    @Test func twoVerificationsAskedForAtOnceAreOne() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        _ = try await outcomes(of: ["a"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)
        try await accept(bench, "v1", .verifyModel(name: "org/model"))
        try await accept(bench, "v2", .verifyModel(name: "org/model"))
        let runs = Mutex<[Int64]>([])
        let number = try await bench.store.accepted()[0].revision
        let counting = runner(bench, FakeHub()) { name, number, _ in
            #expect(name == "org/model")
            runs.withLock { $0.append(number) }
        }
        let both = try await outcomes(of: ["v1", "v2"], by: counting, in: bench)
        #expect(both.map(\.status) == [200, 200])
        #expect(runs.withLock { $0 } == [number])
    }

    @Test func aRemovedModelIsAnnouncedAsGone() async throws {
        let bench = try Bench()
        try await register(bench, "a", "org/model")
        _ = try await outcomes(of: ["a"], by: runner(bench, FakeHub(["org/model": "c1"])), in: bench)
        let gone = try await bench.store.execute(command("d", .deleteModel(name: "org/model")), at: noon)
        #expect(gone.operation.status == 204)
        bench.stream.edit { $0.published = [] }
        try await bench.announcer.announce()
        #expect(bench.stream.takeWords().first == "tombstone \(gone.operation.revision ?? 0)")
        #expect(try await bench.store.checkpoint().entries.isEmpty)
    }
}
