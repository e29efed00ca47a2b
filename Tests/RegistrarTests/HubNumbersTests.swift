import Catalog
import ServiceLifecycle
import Testing

@testable import Registrar

@Suite(.timeLimit(.minutes(1)))
struct HubNumbersTests {
    private static let interval: Int64 = 600_000

    /// A store with one registration that is due at `noon`.
    private func bench() async throws -> Bench {
        let bench = try Bench()
        _ = try await bench.store.execute(
            command("a", .registerModel(RegistrationRequest(repo: "Org/Model"))), at: noon)
        let accepted = try await bench.store.accepted()[0]
        _ = try await bench.store.finish(
            accepted, .registered(registration("Org/Model", commit: "c1")), at: noon, dueAt: noon)
        return bench
    }

    /// The record after it was looked at once at `now`.
    private func lookedAt(_ bench: Bench, _ hub: FakeHub, at now: Int64) async throws -> RegistrationRecord {
        let numbers = HubNumbers(
            announcer: bench.announcer, hub: hub, schedule: HubSchedule(interval: .seconds(600)), isActive: { true },
            logger: quiet, wallClock: { now })
        let asked = hub.asked.count
        let group = ServiceGroup(services: [numbers], logger: quiet)
        let running = Task { try await group.run() }
        numbers.wake()
        while hub.asked.count == asked { await Task.yield() }
        while try await !bench.store.dueRegistrations(at: now, limit: 1).isEmpty { await Task.yield() }
        await group.triggerGracefulShutdown()
        try await running.value
        try await bench.announcer.announce()
        return try #require(try await bench.store.registration(named: "org/model"))
    }

    @Test func numbersAreTakenOverAndAskedForAgainAfterTheInterval() async throws {
        let bench = try await bench()
        let before = try #require(try await bench.store.registration(named: "org/model"))
        let after = try await lookedAt(bench, FakeHub(["org/model": "c1"]), at: noon)
        #expect(after.hub == HubInfo(downloads: 7, likes: 3, lastModified: nil, fetchedAt: noon))
        #expect(after.revision == before.revision, "the record is not written again")
        let change = HubChange(registration: "org/model", revision: before.revision + 1, hub: after.hub)
        #expect(bench.stream.published.last == .hubChanged(change))
        #expect(after.drift == nil)
        #expect(try await bench.store.dueRegistrations(at: noon + Self.interval - 1, limit: 1).isEmpty)
        #expect(try await bench.store.dueRegistrations(at: noon + Self.interval * 11 / 10, limit: 1).count == 1)
    }

    @Test func aHubThatIsAwayLeavesTheLastValuesMarkedStaleOnceAfterThreeMisses() async throws {
        let bench = try await bench()
        let before = try #require(try await bench.store.registration(named: "org/model"))
        let away = FakeHub()
        for turn in 0..<2 {
            #expect(try await lookedAt(bench, away, at: noon + Int64(turn) * 2 * Self.interval) == before)
        }
        let stale = try await lookedAt(bench, away, at: noon + 4 * Self.interval)
        #expect(stale.hub == HubInfo(downloads: 1, likes: 1, lastModified: nil, fetchedAt: noon, isStale: true))
        let revision = try await bench.store.state().revision
        let still = try await lookedAt(bench, away, at: noon + 6 * Self.interval)
        #expect(still == stale)
        #expect(try await bench.store.state().revision == revision, "nothing is announced where nothing changed")
        let back = try await lookedAt(bench, FakeHub(["org/model": "c1"]), at: noon + 8 * Self.interval)
        #expect(!back.hub.isStale)
    }

    @Test func anAnswerInBetweenBeginsTheCountOfMissesAnew() async throws {
        let bench = try await bench()
        let (away, there) = (FakeHub(), FakeHub(["org/model": "c1"]))
        for (turn, hub) in [away, away, there, away, away].enumerated() {
            let record = try await lookedAt(bench, hub, at: noon + Int64(turn) * 2 * Self.interval)
            #expect(!record.hub.isStale)
        }
    }

    @Test func theSameNumbersAreNotAnnouncedAgain() async throws {
        let bench = try await bench()
        let hub = FakeHub(["org/model": "c1"])
        _ = try await lookedAt(bench, hub, at: noon)
        let revision = try await bench.store.state().revision
        bench.stream.edit { $0.published = [] }
        _ = try await lookedAt(bench, hub, at: noon + 2 * Self.interval)
        #expect(try await bench.store.state().revision == revision)
        #expect(bench.stream.published.isEmpty)
    }

    @Test("Live numbers are said again with everything, and are part of a record that is written again")
    func numbersOutliveTheStreamAndARestore() async throws {
        let bench = try await bench()
        let after = try await lookedAt(bench, FakeHub(["org/model": "c1"]), at: noon)
        let all = try await bench.store.everything().messages.map(\.message)
        #expect(all.contains { if case .hubChanged(let change) = $0 { change.hub == after.hub } else { false } })
        _ = try await bench.store.restamp(above: 50, incarnation: 7)
        #expect(try await bench.store.registration(named: "org/model")?.hub == after.hub)
        #expect(try await bench.store.everything().messages.allSatisfy { $0.message.type != "hub.changed" })
    }

    @Test func aRepositoryThatMovedOnIsShownAndNothingIsApplied() async throws {
        let bench = try await bench()
        let moved = try await lookedAt(bench, FakeHub(["org/model": "c2"]), at: noon)
        #expect(moved.commit == "c1")
        #expect(moved.drift == RepositoryDrift(commit: "c2", detectedAt: noon, changes: nil))
        let back = try await lookedAt(bench, FakeHub(["org/model": "c1"]), at: noon + 2 * Self.interval)
        #expect(back.drift == nil)
    }
}
