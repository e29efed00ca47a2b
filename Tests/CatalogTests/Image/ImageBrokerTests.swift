import AMQP
import FoundationEssentials
import Logging
import Testing

@testable import Catalog

/// Images on a real broker, in a namespace of their own.
@Suite(.enabled(if: TestBroker.isThere), .serialized, .timeLimit(.minutes(3)))
struct ImageBrokerTests {
    private static let record = Sample.created(1, revision: 1)
    private static let row = Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["m"]))
    private static let checkpoint = Sample.checkpoint([(1, 1)], revision: 1)
    private static let whole = Catalog([record, row, checkpoint])

    /// The log has a mark only: all that is served comes from the image, and from what was written behind it.
    @Test func aProcessStartsFromTheNewestImageAndTheLogBehindIt() async throws {
        try await TestBroker.run { broker in
            let old = try await broker.publishMark("old")
            try await broker.publish(image: Catalog([Sample.created(7, revision: 1)]), at: old)
            try await broker.publish(image: Self.whole, at: try await broker.publishMark("new"))
            try await broker.publish(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["n"])))
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.log.starts == ["resume(at: 1)"])
            #expect(process.follower.view.list.text.contains(#""id":"n""#))
            #expect(process.follower.read { $0.endpoints.map(\.record.name) } == ["e1"])
            let progress = process.follower.imageProgress
            #expect(progress?.image?.position.messageID == "new")
            #expect((progress?.bytes ?? 0) > 100)
            try await process.stop()
        }
    }

    @Test func aBrokenImageLeadsToTheOneBefore() async throws {
        try await TestBroker.run { broker in
            let position = try await broker.publishMark("a")
            try await broker.publish(image: Self.whole, at: position)
            try await broker.publish(image: Catalog([Sample.created(7, revision: 1)]), at: position) { parts in
                parts[0].body[30] ^= 1
            }
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.follower.imageProgress?.image != nil)
            #expect(process.follower.read { $0.endpoints.map(\.record.name) } == ["e1"])
            #expect(process.log.messages.contains { $0.hasPrefix("An image of the catalog is broken") })
            try await process.stop()
        }
    }

    /// Many parts of two images in turn, with another version's image and an unfinished one behind them.
    @Test func partsOfTwoWritersAreToldApart() async throws {
        try await TestBroker.run { broker in
            let position = try await broker.publishMark("a")
            let one = try CatalogImage(of: Self.whole.imageSource, at: position, partLimit: 60).messages
            let other = try CatalogImage(
                of: Catalog([Self.record, Self.checkpoint]).imageSource, at: position, partLimit: 60
            ).messages
            for place in 0..<max(one.count, other.count) {
                if place < one.count { try await broker.publish(part: one[place]) }
                if place < other.count - 1 { try await broker.publish(part: other[place]) }
            }
            try await broker.publish(image: Self.whole, at: position) { $0[0].version = 99 }
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.follower.view.list.text.contains(#""id":"m""#))
            #expect(process.follower.imageProgress?.image != nil)
            try await process.stop()
        }
    }

    /// The images of the stream before are still there.
    @Test func anImageOfAnotherStreamIsNotUsed() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let gone = LogPosition(offset: 2, messageID: "of the stream before")
            try await broker.publish(image: Catalog([Sample.created(7, revision: 9)]), at: gone)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.log.starts == ["resume(at: 2)", "first"])
            #expect(process.follower.read { $0.endpoints.map(\.record.name) } == ["e1"])
            #expect(process.follower.imageProgress?.image == nil)
            try await process.stop()
        }
    }

    /// An offset that is beyond the end shows nothing but what comes later: the process's own mark.
    @Test func anImageFromTheFutureIsNotUsed() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let gone = LogPosition(offset: 5000, messageID: "of the stream before")
            try await broker.publish(image: Catalog([Sample.created(7, revision: 9)]), at: gone)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.log.starts == ["resume(at: 5000)", "first"])
            #expect(process.follower.read { $0.endpoints.map(\.record.name) } == ["e1"])
            try await process.stop()
        }
    }

    @Test func withoutAnImageStreamAllIsReadAndOneLineSaysSo() async throws {
        try await TestBroker.run(hasImages: false) { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let process = try broker.startFollower()
            try await process.until("ready") { $0.readiness.isReady }
            #expect(process.log.starts == ["first"])
            let lines = process.log.messages.filter { $0.hasPrefix("There is no image of the catalog yet") }
            #expect(lines.count == 1)
            try await process.stop()
        }
    }

    /// The log no longer holds the record, and there is no image: another process says it again.
    @Test func whatTheLogLacksIsAskedForOnTheStream() async throws {
        try await TestBroker.run { broker in
            try await broker.publish(Self.record, Self.row, Self.checkpoint)
            let other = try broker.startFollower()
            try await other.until("the other one is ready") { $0.readiness.isReady }
            try await broker.publish(Sample.checkpoint([(1, 1), (2, 2)], revision: 2))
            let process = try broker.startFollower()
            try await other.until("the request has come") { $0.catalogRequests > 0 }
            #expect(!process.follower.readiness.isReady)
            try await broker.publish(Sample.created(2, revision: 2))
            try await process.until("ready") { $0.readiness.isReady }
            try await other.stop()
            try await process.stop()
        }
    }
}

extension ModelList {
    fileprivate var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension TestBroker {
    /// Publishes a mark with this message id on the catalog stream, which holds nothing but such marks. Gives its place.
    fileprivate func publishMark(_ id: String) async throws -> LogPosition {
        var message = try CatalogMessage.syncMark(SyncMark(id: id)).encoded()
        message.messageID = id
        try await publishing.publish(message, to: BrokerMap.exchange(to: map.catalog), routingKey: "")
        return LogPosition(offset: Int64(marks.add()), messageID: id)
    }

    fileprivate func publish(part: Message) async throws {
        try await publishing.publish(part, to: BrokerMap.exchange(to: map.images), routingKey: "")
    }

    fileprivate func publish(
        image catalog: Catalog, at position: LogPosition, changed: (inout [ImagePart]) -> Void = { _ in }
    ) async throws {
        var parts = try CatalogImage(of: catalog.imageSource, at: position).messages.compactMap { ImagePart($0) }
        changed(&parts)
        for part in parts { try await publish(part: part.message) }
    }
}
