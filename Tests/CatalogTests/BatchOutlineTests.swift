import AMQP
import TestSupport
import Testing

@testable import Catalog

@Suite struct BatchOutlineTests {
    private static func outlines(_ messages: [CatalogMessage]) throws -> [BatchOutline?] {
        try messages.map { BatchOutline(try $0.encoded()) }
    }

    private static func row(_ number: Int, generation: Int64 = 1, tick: Int64, models: [String]? = nil) -> SnapshotRow {
        Sample.row(number, generation: generation, tick: tick, models: models, digest: "d")
    }

    struct Case: Sendable {
        var name: String
        var batches: [CatalogMessage]
        var superseded: [Bool]
    }

    static let cases = [
        Case(
            name: "the same endpoint again",
            batches: [Sample.batch(row(1, tick: 1)), Sample.batch(row(1, tick: 2)), Sample.batch(row(1, tick: 3))],
            superseded: [true, true, false]),
        Case(
            name: "older ones that come later",
            batches: [Sample.batch(row(1, tick: 3)), Sample.batch(row(1, tick: 2)), Sample.batch(row(1, tick: 2))],
            superseded: [false, false, false]),
        Case(
            name: "another generation",
            batches: [Sample.batch(row(1, tick: 1)), Sample.batch(row(1, generation: 2, tick: 2))],
            superseded: [false, false]),
        Case(
            name: "a row with a list",
            batches: [Sample.batch(row(1, tick: 1, models: ["m"])), Sample.batch(row(1, tick: 2))],
            superseded: [false, false]),
        Case(
            name: "by a row with a list",
            batches: [Sample.batch(row(1, tick: 1)), Sample.batch(row(1, tick: 2, models: []))],
            superseded: [true, false]),
        Case(
            name: "one row that is not told again",
            batches: [Sample.batch(row(1, tick: 1), row(2, tick: 1)), Sample.batch(row(1, tick: 2))],
            superseded: [false, false]),
        Case(
            name: "by several together",
            batches: [
                Sample.batch(row(1, tick: 1), row(2, tick: 1)), Sample.batch(row(1, tick: 2)),
                Sample.batch(row(2, tick: 2)),
            ],
            superseded: [true, false, false]),
        Case(
            name: "other messages between",
            batches: [Sample.batch(row(1, tick: 1)), Sample.removed(1, revision: 2), Sample.batch(row(1, tick: 2))],
            superseded: [true, false, false]),
    ]

    @Test(arguments: cases)
    func findsWhatIsToldAgain(_ given: Case) throws {
        #expect(BatchOutline.superseded(try Self.outlines(given.batches)) == given.superseded, "\(given.name)")
    }

    /// Only what is understood to the last byte is judged without a decoder.
    @Test(arguments: [
        "", "{", "{}", "[]", #"{"rows":[]}"#, #"{"rows":{}}"#, #"{"rows":[1]}"#, #"{"rows":[{}]}"#,
        #"{"rows":[{"endpoint":"a","tick":1}]}"#,
        #"{"rows":[{"endpoint":"a\u0062","generation":1,"tick":1}]}"#,
        #"{"rows":[{"endpoint":1,"generation":1,"tick":1}]}"#,
        #"{"rows":[{"endpoint":"a","generation":1,"tick":1.5}]}"#,
        #"{"rows":[{"endpoint":"a","generation":1,"tick":1},]}"#,
        #"{"rows":[{"endpoint":"a","generation":1,"tick":1}]} x"#,
        #"{"rows":[{"endpoint":"a","generation":1,"tick":99999999999999999999}]}"#,
    ])
    func leavesTheRestToTheDecoder(body: String) {
        #expect(BatchOutline(Message(body: Array(body.utf8), type: "snapshot.batch", messageID: "m")) == nil)
    }

    @Test func spaceAndOrderDoNotMatter() {
        let body =
            #" { "rows" : [ {"tick": 1 , "generation":1, "other":[{"endpoint":"no"}],"endpoint" :"a"} ] ,"poller":"p"}"#
        let newer = #"{"poller":"p","rows":[{"endpoint":"a","generation":1,"tick":2}]}"#
        let outlines = [body, newer].map {
            BatchOutline(Message(body: Array($0.utf8), type: "snapshot.batch", messageID: "m"))
        }
        #expect(BatchOutline.superseded(outlines) == [true, false])
    }

    /// A backlog ends in the same catalog with what is superseded left out, in pieces of any size.
    @Test(arguments: 400..<440 as Range<UInt64>)
    func nothingIsLost(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let log = SimulatedSenders(steps: 60, pollers: 2, using: &generator).interleaved(replays: 2, using: &generator)
        var whole = Catalog(log)
        var thinned = Catalog()
        var leftOut = 0
        var rest = log[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 20...200, using: &generator)))
            let superseded = BatchOutline.superseded(try Self.outlines(piece))
            for (message, isSuperseded) in zip(piece, superseded) {
                if isSuperseded { leftOut += 1 } else { _ = thinned.apply(message, at: 0) }
            }
            rest = rest.dropFirst(piece.count)
        }
        #expect(leftOut > 0)
        #expect(thinned.modelList == whole.modelList)
        #expect(thinned.endpoints == whole.endpoints)
        #expect(thinned.completeness == whole.completeness)
        #expect(thinned.highestTick == whole.highestTick)
        #expect(thinned.refreshMessages() == whole.refreshMessages())
    }

    /// What would have been superseded by a message that turns out to be malformed.
    @Test func aMalformedMessageSupersedesNothing() async throws {
        func delivery(_ message: Message, _ offset: Int) -> Delivery {
            Delivery(
                message: message, tag: UInt64(offset), redelivered: false, streamOffset: Int64(offset), deliveryCount: 0
            )
        }
        var deliveries = try (1...40).map { tick in
            delivery(try Sample.batch(Self.row(1, tick: Int64(tick))).encoded(), tick)
        }
        let sound = await CatalogFollower.decoded(deliveries)
        #expect(sound.map(\.incoming.offset) == Array(1...40))
        #expect(sound.compactMap(\.incoming.message) == [Sample.batch(Self.row(1, tick: 40))])
        let body = #"{"poller":"p1","rows":[{"endpoint":"\#(Sample.id(1))","generation":1,"tick":41}]}"#
        deliveries.append(delivery(Message(body: Array(body.utf8), type: "snapshot.batch", messageID: "bad"), 41))
        let mixed = await CatalogFollower.decoded(deliveries)
        #expect(mixed.count == 41 && mixed.last?.problem != nil)
        #expect(mixed.compactMap(\.incoming.message).count == 40)
    }
}
