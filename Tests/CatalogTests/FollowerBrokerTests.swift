import AMQP
import Catalog
import FoundationEssentials
import Logging
import Testing

/// Against a real broker, in a namespace of its own.
@Suite(.enabled(if: TestBroker.isThere), .serialized, .timeLimit(.minutes(2)))
struct FollowerBrokerTests {
    private static let record = Sample.created(1, revision: 1)
    private static let row = Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"]))
    private static let checkpoint = Sample.checkpoint([(1, 1)], revision: 1)

    @Test func coldStartIsReadyWithAllThatWasThere() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.follower.readiness.isCurrent)
            #expect(!process.follower.readiness.isUnconfirmed)
            #expect(String(decoding: process.follower.view.list.bytes, as: UTF8.self).contains(#""id":"m""#))
            // Live: through the stream and back.
            var effects = process.follower.effects().makeAsyncIterator()
            let row = Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["n"]))
            try await process.follower.publish(row).confirmed()
            let tick = await process.follower.wait(timeout: .seconds(10)) { catalog in
                catalog.highestTick == 2 ? catalog.highestTick : nil
            }
            #expect(tick == 2)
            #expect(String(decoding: process.follower.view.list.bytes, as: UTF8.self).contains(#""id":"n""#))
            var hasChanged = false
            while !hasChanged, let batch = await effects.next() { hasChanged = batch.contains(.modelsChanged) }
            #expect(hasChanged)
            #expect((process.follower.age ?? .seconds(99)) < .seconds(5))
            try await process.stop()
            while await effects.next() != nil {}
            #expect(!process.follower.readiness.isCurrent)
            #expect(process.follower.readiness.isReady)
            #expect(process.follower.view.readiness == process.follower.readiness)
        }
    }

    /// The checkpoint names a record that is not there yet: the log is followed until the record comes.
    @Test func aRecordThatIsMissingIsWaitedFor() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("current") { $0.readiness.isCurrent }
            #expect(!process.follower.readiness.isReady)
            #expect(!process.follower.readiness.lacksCheckpoint)
            try await broker.publish(Self.record)
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.log.starts == ["first"])
            #expect(String(decoding: process.follower.view.list.bytes, as: UTF8.self).contains(#""id":"m""#))
            try await process.stop()
        }
    }

    @Test func anEmptyStreamIsNotReadyAndLacksACheckpoint() async throws {
        try await TestBroker.run { broker in
            let process = try broker.startFollower()
            try await process.until("past the barrier") { $0.readiness.lacksCheckpoint }
            #expect(!process.follower.readiness.isReady)
            #expect(process.follower.readiness.isCurrent)
            #expect(process.follower.age == nil)
            try await broker.publish(Self.checkpoint, Self.record)
            try await process.until("ready") { $0.readiness.isReady }
            #expect(!process.follower.readiness.lacksCheckpoint)
            try await process.stop()
        }
    }

    @Test func poisonIsSkippedAndCountsAsApplied() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            let before = try #require(process.follower.read { $0.version })
            let poison = [
                Message(body: Array("{".utf8), type: "snapshot.batch", messageID: "p1"),
                Message(body: [0xFF, 0xFE], type: "refresh", messageID: "p2"),
                Message(body: Array("{}".utf8), type: "from.the.future", messageID: "p3"),
            ]
            for message in poison {
                try await broker.publishing.publish(
                    message, to: BrokerMap.exchange(to: broker.map.catalog), routingKey: "")
            }
            let version = await process.follower.wait(timeout: .seconds(10)) { catalog in
                catalog.version.flatMap { $0.offset >= before.offset + 3 ? $0 : nil }
            }
            #expect(version != nil)
            #expect(process.follower.readiness.isCurrent)
            try await process.stop()
        }
    }

    @Test func afterALostConnectionItResumesWithoutReadingAgain() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            try await broker.dropConnections(of: process)
            try await process.until("not current") { _ in process.log.starts.count > 1 }
            #expect(String(decoding: process.follower.view.list.bytes, as: UTF8.self).contains(#""id":"m""#))
            try await broker.publish(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["n"])))
            try await process.until("current again") { $0.readiness.isCurrent && $0.read { $0.highestTick == 2 } }
            #expect(process.follower.view.readiness.isCurrent)
            #expect(process.log.starts.count == 2)
            #expect(process.log.starts.last?.contains("resume") == true)
            #expect(!process.follower.readiness.publishInFull)
            try await process.stop()
        }
    }

    @Test func aStreamMadeAnewIsSwappedInOnlyWhenItIsComplete() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            let before = process.follower.view.list
            try await broker.recreateStream()
            try await process.until("reading aside") { $0.readiness.publishInFull && $0.readiness.lacksCheckpoint }
            #expect(process.follower.view.list == before)
            #expect(process.follower.readiness.isReady)
            #expect(process.follower.read { $0.version?.incarnation } == 1)
            let row = Sample.batch(Sample.row(2, generation: 2, tick: 9, models: ["new"]))
            try await broker.publish(Sample.created(2, revision: 2), row)
            #expect(process.follower.view.list == before)
            try await broker.publish(Sample.checkpoint([(2, 2)], revision: 2, incarnation: 2))
            try await process.until("swapped") { !$0.view.readiness.publishInFull }
            #expect(process.follower.read { $0.version?.incarnation } == 2)
            #expect(process.follower.read { $0.endpoints.map(\.record.name) } == ["e2"])
            #expect(String(decoding: process.follower.view.list.bytes, as: UTF8.self).contains(#""id":"new""#))
            try await process.stop()
        }
    }

    @Test func waitsEndAtTheirTimeoutAndAtStop() async throws {
        try await TestBroker.run { broker in
            let process = try broker.startFollower()
            #expect(await process.follower.wait(timeout: .milliseconds(10)) { _ in Int?.none } == nil)
            async let waiting = process.follower.wait(timeout: .seconds(100)) { _ in Int?.none }
            try await process.until("past the barrier") { $0.readiness.isCurrent }
            try await process.stop()
            #expect(await waiting == nil)
            #expect(await process.follower.wait(timeout: .seconds(100)) { _ in Int?.none } == nil)
        }
    }
}
