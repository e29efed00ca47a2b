import TestSupport
import Testing

@testable import Catalog

@Suite(.serialized, .timeLimit(.minutes(5))) struct CatalogImageTests {
    /// A catalog that starts from an image, wherever that was made, and reads the log behind it, equals the one that was
    /// there all along. Its own images have the same bytes.
    @Test(arguments: 800..<840 as Range<UInt64>)
    func imageAndLogGiveTheCatalogThatWasThereAllAlong(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let log = Self.history(using: &generator)
        var there = Catalog(log)
        let end = Self.position(log.count - 1)
        let expected = try CatalogImage(of: there.imageSource, at: end)
        for _ in 0..<6 {
            let cut = Int.random(in: 0...log.count - 1, using: &generator)
            let limit = Int.random(in: 1...3000, using: &generator)
            let image = try CatalogImage(
                of: Catalog(Array(log[...cut])).imageSource, at: Self.position(cut), partLimit: limit)
            let content = try CatalogImage.content(of: image.parts)
            #expect(content.position == Self.position(cut))
            #expect(content.size == image.size)
            var late = content.catalog
            for offset in log.indices.dropFirst(cut + 1) { _ = late.apply(log[offset], at: Int64(offset)) }
            Self.expectEqual(&late, &there, "seed \(seed), image at \(cut) of \(log.count)")
            let again = try CatalogImage(of: late.imageSource, at: end)
            #expect(again.id == expected.id && again.parts == expected.parts, "seed \(seed), image at \(cut)")
        }
    }

    /// The text is what processes of one release exchange. If this test fails raise `CatalogImage.version`.
    @Test func theTextIsTheOneOfThisVersion() throws {
        var record = Sample.record(1, name: "a\"\u{1}", generation: 1, revision: 1)
        record.labels = ["room": "b", "gpu": "h100"]
        var row = Sample.row(1, generation: 1, tick: 7, models: ["m", "n"], digest: "d")
        row.models?[1].firstSeen = 600
        row.models?[0].describe()
        row.error = PollFailure(code: "c", message: "m")
        row.failedBy = ["p1"]
        var other = Sample.row(2, generation: 2, tick: 8, models: ["m", "n"], digest: "d")
        other.models?[0].describe()
        let catalog = Catalog([
            .registryChanged(RegistryChange(record)), Sample.created(2, revision: 2), Sample.batch(row),
            Sample.batch(other),
            Sample.checkpoint([(1, 1), (2, 2), (3, 3)], revision: 3), Sample.removed(4, revision: 4),
            .verifyResult(
                VerifyResult(
                    registration: "org/x", number: 4, endpoint: Sample.id(1), generation: 1, model: "m", outcome: .ok,
                    by: "p1", at: 9)),
        ])
        let image = try CatalogImage(of: catalog.imageSource, at: LogPosition(offset: 6, messageID: "m6"))
        let text = String(decoding: image.parts.joined(), as: UTF8.self)
        let (one, two, three, four) = (Sample.id(1), Sample.id(2), Sample.id(3), Sample.id(4))
        #expect(
            text == #"""
                ["image",2,6,"m6",4,8]
                ["checkpoint","\#(Sample.registry)",1,3,1,1000]
                ["verified","org/x",4,"\#(one)",1,"m","ok",null,null,null,null,"p1",9]
                ["model","m","library",null,null,null,null,null,null,null,3,9000,"base","a1","a2"]
                ["model","n","library",null,null,null,null,null,null,null,null,null,null]
                ["list","d",0,1]
                ["endpoint","\#(one)",1,1,["a\"\u0001","http://h1","auto",null,null,false,null,1,1000,"gpu","h100","room","b"],[1,7,0,500,0,100],[1,7,"p1","online",0,null,null,["c","m"],7,null,null,true,null,"p1"]]
                ["endpoint","\#(two)",2,2,["e2","http://h2","auto",null,null,false,null,2,1000],[2,8,0,500],[2,8,"p1","online",0,null,null,null,8,null,null,true,null]]
                ["endpoint","\#(four)",4,null,null,null,null]
                ["listed","endpoint","\#(three)",3]
                ["end",1,"\#(image.id)"]

                """#)
        var whole = catalog
        var read = try CatalogImage.content(of: image.parts).catalog
        Self.expectEqual(&read, &whole, "by hand")
    }

    /// A checkpoint of two parts is complete also if one of them came before the image and the other one after it.
    @Test func aCheckpointMayBeHalfThere() throws {
        func part(_ number: Int) -> CatalogMessage {
            .registryCheckpoint(
                CheckpointPart(
                    registry: Sample.registry, incarnation: 1, revision: 5, part: number, parts: 2,
                    entries: number == 0 ? [CheckpointEntry(kind: .endpoint, id: Sample.id(1), revision: 1)] : [],
                    madeAt: 2000))
        }
        let log = [Sample.created(1, revision: 1), Sample.created(2, revision: 2), part(0), part(1)]
        let image = try CatalogImage(of: Catalog(Array(log[..<3])).imageSource, at: Self.position(2))
        var late = try CatalogImage.content(of: image.parts).catalog
        #expect(late.version == nil)
        _ = late.apply(log[3], at: 3)
        #expect(late.endpoints.map(\.record.name) == ["e1"])
        #expect(late.version == CatalogVersion(incarnation: 1, offset: 3))
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func aBrokenImageIsNoticed(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let image = try CatalogImage(
            of: Catalog(Self.history(using: &generator)).imageSource, at: Self.position(0), partLimit: 400)
        var broken = image.parts
        let part = Int.random(in: broken.indices, using: &generator)
        switch seed % 5 {
        case 0: broken.remove(at: part)
        case 1: broken[part].removeLast(Int.random(in: 1...broken[part].count, using: &generator))
        case 2: broken.swapAt(0, broken.count - 1)
        case 3: broken.append([])
        default:
            let place = Int.random(in: broken[part].indices, using: &generator)
            broken[part][place] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
        }
        #expect(throws: BrokenImage.self) { try CatalogImage.content(of: broken) }
        #expect(throws: BrokenImage.self) { try CatalogImage.content(of: []) }
    }

    /// Lines that no writer of this version writes, behind a digest that is right.
    @Test(arguments: [
        "", "[]", "[", "\"image\"", #"["image",1,6,"m6",4]"#, #"["image",1,6,"m6",4,8]"#, #"["surprise",1]"#,
        #"["list",null,0]"#, #"["endpoint","e",1,null,["n","u","unknown",null,null,false,null,1,1],null,null]"#,
        #"["endpoint","e",1,null,null,[1,1,0,5],null]"#, #"["operation",{"id":1}]"#, #"["operation",null]"#,
        #"["image",99999999999999999999,6,"m6",4,8]"#, #"["key","k",1,null,{"#, #"["model","\x"]"#,
    ])
    func foreignLinesAreNotUnderstood(line: String) {
        var decoder = ImageDecoder()
        #expect(throws: BrokenImage.self) {
            try decoder.read(Array((line + "\n").utf8))
            _ = try decoder.finished()
        }
    }

    // MARK: Made-up histories

    /// With replays, and, for some seeds, the end of another stream: all records announced once more in a new incarnation.
    private static func history(using generator: inout SeededGenerator) -> [CatalogMessage] {
        let senders = SimulatedSenders(steps: 40, pollers: 2, using: &generator)
        var log = senders.interleaved(replays: 3, using: &generator)
        if Bool.random(using: &generator) {
            let catalog = Catalog(log)
            let entries = catalog.endpoints.dropFirst().map {
                CheckpointEntry(kind: .endpoint, id: $0.record.id, revision: $0.record.revision)
            }
            let parts = Checkpoint.parts(
                registry: Sample.registry, incarnation: 2, revision: catalog.highestRevision, entries: entries,
                madeAt: 5000)
            log += parts.map { .registryCheckpoint($0) }
            log += senders.interleaved(using: &generator).suffix(30)
        }
        return log
    }

    private static func position(_ offset: Int) -> LogPosition {
        LogPosition(offset: Int64(offset), messageID: "m\(offset)")
    }

    static func expectEqual(
        _ left: inout Catalog, _ right: inout Catalog, _ what: Comment, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(left.modelList == right.modelList, what, sourceLocation: location)
        #expect(left.endpoints == right.endpoints, what, sourceLocation: location)
        #expect(left.registrations == right.registrations, what, sourceLocation: location)
        #expect(left.keys == right.keys, what, sourceLocation: location)
        for number in 1...6 {
            let digest = Sample.key(number, revision: 0).digest
            #expect(
                left.key(digest: digest)?.record == right.key(digest: digest)?.record, what, sourceLocation: location)
        }
        for number in 0...3 {
            #expect(
                left.operation(id: "o\(number)") == right.operation(id: "o\(number)"), what, sourceLocation: location)
        }
        #expect(left.completeness == right.completeness, what, sourceLocation: location)
        #expect(left.version == right.version, what, sourceLocation: location)
        #expect(left.registry == right.registry, what, sourceLocation: location)
        #expect(left.highestTick == right.highestTick, what, sourceLocation: location)
        #expect(left.highestRevision == right.highestRevision, what, sourceLocation: location)
    }
}

extension ModelEntry {
    fileprivate mutating func describe() {
        (capabilities, contextLengthMax, parent, aliases) = ([.vision, .tools], 9000, "base", ["a1", "a2"])
    }
}
