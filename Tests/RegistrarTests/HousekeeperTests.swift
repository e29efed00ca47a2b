import AMQP
import Catalog
import Launch
import Synchronization
import Testing

@testable import Registrar

@Suite struct HousekeeperTests {
    /// A monotonic clock that is set by hand.
    final class ManualClock: Sendable {
        private let start = ContinuousClock.now
        private let elapsed = Mutex(Duration.zero)
        var now: ContinuousClock.Instant { start + elapsed.withLock { $0 } }
        func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
    }

    @Test func onAStreamWithoutCheckpointEverythingIsAnnounced() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        try await bench.store.settle()
        let housekeeper = try bench.housekeeper()
        #expect(try await !housekeeper.admit(), "not before it has been read back")
        #expect(
            bench.stream.takeWords() == ["gpu-1 1", "operation create-\(uuid(1)) 201", "checkpoint 1 1 1"])
        #expect(try await housekeeper.admit())
        #expect(try await bench.store.state().incarnation == 1)
    }

    /// A process that starts without an image, on a stream whose beginning has been deleted, asks for everything.
    @Test func everythingIsAnnouncedOnceMoreIfAProcessAsksForIt() async throws {
        let bench = try Bench()
        let clock = ManualClock()
        try await bench.store.create(draft(1))
        let housekeeper = try bench.housekeeper(now: { clock.now })
        _ = try await housekeeper.admit()
        #expect(try await housekeeper.admit())
        try await housekeeper.work()
        let everything = bench.stream.takeWords()
        try await housekeeper.work()
        #expect(bench.stream.takeWords().isEmpty)
        bench.stream.edit { $0.view.requests = 3 }
        try await housekeeper.work()
        #expect(bench.stream.takeWords().contains { $0.hasPrefix("gpu-1 ") })
        bench.stream.edit { $0.view.requests = 4 }
        try await housekeeper.work()
        #expect(bench.stream.takeWords().isEmpty)
        clock.advance(.seconds(30))
        try await housekeeper.work()
        #expect(bench.stream.takeWords().contains { $0.hasPrefix("gpu-1 ") })
        #expect(everything.contains { $0.hasPrefix("gpu-1 ") })
    }

    @Test func whatIsNotReadBackIsSaidOnceMoreOnlyAfterAWhile() async throws {
        let bench = try Bench()
        let clock = ManualClock()
        bench.stream.edit { $0.isFollowed = false }
        let housekeeper = try bench.housekeeper(now: { clock.now })
        for _ in 1...3 { #expect(try await !housekeeper.admit()) }
        #expect(bench.stream.takeWords() == ["checkpoint 1 0 0"])
        clock.advance(.seconds(10))
        #expect(try await !housekeeper.admit())
        #expect(bench.stream.takeWords() == ["checkpoint 2 0 0"])
    }

    @Test func aStreamThatIsNotReadToItsEndIsWaitedFor() async throws {
        let bench = try Bench()
        bench.stream.edit { $0.view.isCurrent = false }
        let housekeeper = try bench.housekeeper()
        #expect(try await !housekeeper.admit())
        #expect(bench.stream.takeWords().isEmpty)
    }

    @Test func anotherRegistrysStreamIsNotTouched() async throws {
        let bench = try Bench()
        bench.stream.edit {
            $0.view = StreamView(
                isCurrent: true, isComplete: true, registry: "other", incarnation: 4, highestRevision: 30)
        }
        let housekeeper = try bench.housekeeper()
        let exit = await #expect(throws: ProcessExit.self) { try await housekeeper.admit() }
        #expect(exit?.code == 78)
        #expect(exit?.message.contains("--adopt") == true)
        #expect(exit?.message.contains("\n") == false)
        #expect(bench.stream.takeWords().isEmpty)
        #expect(try await bench.store.state().incarnation == 0)
    }

    @Test func anotherRegistrysStreamIsAdoptedOnce() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        let other = StreamView(
            isCurrent: true, isComplete: true, registry: "other", incarnation: 4, highestRevision: 30)
        bench.stream.edit { $0.view = other }
        let housekeeper = try bench.housekeeper(adopt: true)
        #expect(try await !housekeeper.admit())
        #expect(
            bench.stream.takeWords() == ["gpu-1 31", "operation create-\(uuid(1)) 201", "checkpoint 5 32 1"])
        #expect(try await housekeeper.admit())
        bench.stream.edit { $0.view = other }
        await #expect(throws: ProcessExit.self) { try await housekeeper.admit() }
    }

    @Test func aRestoredDatabaseBecomesTheNewest() async throws {
        let bench = try Bench()
        let uuid = try await bench.store.state().uuid
        try await bench.store.create(draft(1))
        try await bench.store.settle()
        bench.stream.edit {
            $0.view = StreamView(
                isCurrent: true, isComplete: true, registry: uuid, incarnation: 2, highestRevision: 9)
        }
        let housekeeper = try bench.housekeeper()
        #expect(try await !housekeeper.admit())
        #expect(bench.stream.takeWords().contains("gpu-1 10"))
        #expect(try await housekeeper.admit())
        #expect(try await bench.store.state().incarnation == 3)
        #expect(try await bench.store.records().map(\.generation) == [10])
    }

    @Test func aCheckpointAtTheStartAndEachMinute() async throws {
        let bench = try Bench()
        let clock = ManualClock()
        let housekeeper = try bench.housekeeper(now: { clock.now })
        try await housekeeper.work()
        #expect(bench.stream.takeWords() == ["checkpoint 0 0 0"])
        clock.advance(.seconds(59))
        try await bench.store.create(draft(1))
        try await housekeeper.work()
        #expect(bench.stream.takeWords() == ["gpu-1 1", "operation create-\(uuid(1)) 201"])
        clock.advance(.seconds(1))
        try await housekeeper.work()
        #expect(bench.stream.takeWords() == ["checkpoint 0 1 1"])
        await housekeeper.becomeActive()
        try await housekeeper.work()
        #expect(bench.stream.takeWords() == ["checkpoint 0 1 1"])
    }

    @Test func configuredEndpointsAreMadeAndAnnounced() async throws {
        let bench = try Bench()
        let housekeeper = try bench.housekeeper(endpoints: "a=http://a,b=http://b")
        try await housekeeper.work()
        #expect(bench.stream.takeWords() == ["a 1", "b 2", "checkpoint 0 2 2"])
        try await housekeeper.work()
        #expect(bench.stream.takeWords().isEmpty)
    }

    @Test func aStopEndsTheWaitingForABrokerThatIsAway() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        bench.patience.stop()
        bench.stream.edit { $0.failures = [AMQPError(.stopped, "stopped")] }
        await #expect(throws: CancellationError.self) { try await bench.announcer.announce() }
    }
}
