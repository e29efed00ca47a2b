import AMQP
import Catalog
import GRDB
import Testing

@testable import Registrar

@Suite struct AnnouncerTests {
    @Test func whatIsCommittedIsAnnouncedOnceAndInOrder() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        try await bench.store.create(draft(2))
        try await bench.announcer.announce()
        #expect(
            bench.stream.takeWords() == [
                "gpu-1 1", "operation create-\(uuid(1)) 201", "gpu-2 2", "operation create-\(uuid(2)) 201",
            ])
        #expect(try await bench.store.state().announced == 2)
        try await bench.announcer.announce()
        #expect(bench.stream.takeWords().isEmpty)
    }

    @Test(
        "The watermark waits for the confirms, and an unconfirmed message is published again", .timeLimit(.minutes(1)))
    func retries() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        bench.stream.edit {
            $0.failures = [
                AMQPError(.notConnected, "away"), AMQPError(.blocked, "alarm"), AMQPError(.nacked, "full"),
                AMQPError(.returned, "no stream"), AMQPError(.unconfirmed, "lost"),
            ]
        }
        try await bench.announcer.announce()
        #expect(bench.stream.attempts == 6)
        #expect(bench.stream.takeWords() == ["gpu-1 1", "operation create-\(uuid(1)) 201"])
        #expect(try await bench.store.state().announced == 1)
    }

    @Test func aFailureThatStaysIsThrownAndMovesNothing() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        bench.stream.edit { $0.failures = [AMQPError(.configuration, "no such exchange")] }
        await #expect(throws: AMQPError.self) { try await bench.announcer.announce() }
        #expect(try await bench.store.state().announced == 0)
    }

    @Test("A registration that no broker takes is removed, and holds up nothing")
    func unannounceable() async throws {
        let bench = try Bench()
        try await bench.register("Org/Long")
        try await bench.store.create(draft(1))
        bench.stream.edit { state in
            state.isTooLong = {
                if case .registryChanged(let change) = $0 { change.registration != nil } else { false }
            }
        }
        try await bench.announcer.checkpoint(at: noon)
        let said = bench.stream.takeWords()
        #expect(said.filter { $0.hasPrefix("gpu-1") } == ["gpu-1 3"])
        #expect(said.suffix(2) == ["tombstone 4", "checkpoint 0 4 1"])
        #expect(try await bench.store.registration(named: "org/long") == nil)
        #expect(try await bench.store.state().announced == 4)
    }

    @Test("What is committed between the backlog and the checkpoint is announced before the checkpoint")
    func commitBesideACheckpoint() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        let (state, entries, backlog) = try await bench.store.checkpoint()
        #expect(entries.map(\.revision) == [1])
        #expect(backlog?.through == state.revision)
        #expect(words(try #require(backlog).messages).first == "gpu-1 1")
        try await bench.store.settle()
        #expect(try await bench.store.checkpoint().backlog == nil)
    }

    @Test func aProcessThatStoppedBeforeAnnouncingIsFinishedByTheNext() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        try bench.store.database.close()
        let next = Announcer(
            store: try bench.files.open(), stream: bench.stream, patience: bench.patience, logger: quiet)
        try await next.announce()
        #expect(bench.stream.takeWords() == ["gpu-1 1", "operation create-\(uuid(1)) 201"])
    }

    @Test func aRepeatedOutcomeGetsThePresentRevision() async throws {
        let bench = try Bench()
        try await bench.store.create(draft(1))
        try await bench.store.create(draft(2))
        let operation = Operation(id: "c", state: .succeeded, status: 204, sequence: 1, at: noon)
        try await bench.announcer.repeatOutcomes([(operation, nil)])
        var expected = operation
        expected.sequence = 2
        #expect(bench.stream.published == [.operationChanged(expected)])
    }

    @Test func aCheckpointNamesAllThatLivesAfterItHasBeenAnnounced() async throws {
        let bench = try Bench()
        for number in 1...3 { try await bench.store.create(draft(number)) }
        _ = try await bench.store.execute(command("d", .deleteEndpoint(id: uuid(2))), at: noon)
        try await bench.announcer.checkpoint(at: noon)
        #expect(bench.stream.takeWords().last == "checkpoint 0 4 2")
        #expect(try await bench.store.state().announced == 4)
    }
}
