import AMQP
import Catalog
import Testing

/// What a process reads of a release that came later, or of a broken sender.
@Suite struct ToleranceTests {
    /// `message` with its body's text changed.
    private func read(_ message: CatalogMessage, _ change: (String) -> String) throws -> CatalogMessage? {
        var encoded = try message.encoded()
        let text = String(decoding: encoded.body, as: UTF8.self)
        let changed = change(text)
        try #require(changed != text)
        encoded.body = Array(changed.utf8)
        return try CatalogMessage(encoded)
    }

    @Test(arguments: CodingTests.messages)
    func unknownFieldsMeanNothing(message: CatalogMessage) throws {
        #expect(
            try read(message) { #"{"of_later":[1,{"a":null}],"# + $0.dropFirst() } == message)
        // In everything that the message holds. Labels are names and values, and no fields.
        #expect(
            try read(message) { text in
                text.split(separator: "{", omittingEmptySubsequences: false)
                    .joined(separator: #"{"of_later":true,"#).replacing("true,}", with: "true}")
                    .replacing(#""labels":{"of_later":true}"#, with: #""labels":{}"#)
            } == message)
    }

    @Test(arguments: [
        (Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["m"])), "online"),
        (CodingTests.messages[4], "failed"), (CodingTests.messages[10], "error"),
        (Sample.created(1, revision: 3), "auto"), (Sample.made(1, revision: 3), "models"),
        (Sample.registered("Org/M", files: ["a.gguf"], revision: 3), "weights"),
        (Sample.registered("Org/M", files: ["a.gguf"], revision: 3), "gguf"),
        (Sample.removed(1, revision: 3), "endpoint"), (Sample.checkpoint([(1, 2)], revision: 3), "endpoint"),
    ])
    func unknownNamesAreKept(message: CatalogMessage, name: String) throws {
        let later = try #require(try read(message) { $0.replacing(#"\#(quoted(name))"#, with: #""of_later""#) })
        #expect(later != message)
        let again = try later.encoded()
        #expect(String(decoding: again.body, as: UTF8.self).contains(#""of_later""#))
        #expect(try CatalogMessage(again) == later)
    }

    private func quoted(_ name: String) -> String { "\"\(name)\"" }

    private static let brokenRows = [
        "{}", "7", "null", "[]", #"["e"]"#, #"["e",1,"two","vllm",3,4,"d"]"#,
        #"{"endpoint":"e","generation":1,"tick":9223372036854775807,"poller":"p","state":"online","failures":0,"failed_by":[],"observed_at":1}"#,
        #"{"endpoint":"e","generation":1,"tick":1,"poller":"p","state":"pending","failures":0,"failed_by":[],"observed_at":1}"#,
        #"{"endpoint":"e","generation":1,"tick":1,"poller":"p","state":"online","failures":0,"failed_by":[],"observed_at":1,"models":[{"id":"m","size_bytes":9223372036854775807,"first_seen":1}]}"#,
    ]

    @Test(arguments: brokenRows)
    func aBrokenRowCostsNoOther(row: String) throws {
        let message = CatalogMessage.snapshotBatch(
            SnapshotBatch(
                poller: "p1",
                rows: [
                    Self.unchanged(1), Self.unchanged(2), Sample.row(3, generation: 1, tick: 1, models: ["m"]),
                    Sample.row(4, generation: 1, tick: 1, models: ["m"], state: .offline),
                ]))
        for list in ["same", "rows"] {
            let read = try read(message) { $0.replacing(#""\#(list)":["#, with: #""\#(list)":[\#(row),"#) }
            guard case .snapshotBatch(let batch)? = read else { return #expect(Bool(false)) }
            #expect(batch.leftOut.count == 1)
            #expect(Set(batch.rows.map(\.endpoint)) == Set((1...4).map(Sample.id)))
        }
    }

    private static func unchanged(_ number: Int) -> SnapshotRow {
        SnapshotRow(
            endpoint: Sample.id(number), generation: 12, tick: 345_678, poller: "p1", state: .online, kind: .vllm,
            latencyMilliseconds: 3, observedAt: 1_800_000_000_000, lastOKAt: 1_800_000_000_000,
            baseDigest: String(repeating: "d", count: 32), digest: String(repeating: "d", count: 32))
    }

    @Test func unchangedRowsAreShort() throws {
        let batch = SnapshotBatch(poller: "p1", rows: (1...50).map(Self.unchanged))
        let message = try CatalogMessage.snapshotBatch(batch).encoded()
        #expect(message.body.count < 50 * 125)
        #expect(try CatalogMessage(message) == .snapshotBatch(batch))
        let first = #"{"poller":"p1","rows":[],"same":[["\#(Sample.id(1))",12,345678,"vllm",3,1800000000000,"ddd"#
        #expect(String(decoding: message.body, as: UTF8.self).hasPrefix(first))
    }

    @Test(
        "A row says no less when it differs in any one field",
        arguments: [
            { $0.state = .degraded }, { $0.failures = 1 }, { $0.failedBy = ["p2"] }, { $0.kind = nil },
            { $0.latencyMilliseconds = nil }, { $0.error = PollFailure(code: "c", message: "m") },
            { $0.lastOKAt = nil },
            { $0.gpuMemoryBytes = 1 << 34 }, { $0.baseDigest = nil }, { $0.digest = nil }, { $0.models = [] },
            { $0.modelsTick = 7 }, { $0.poller = "p2" },
        ] as [@Sendable (inout SnapshotRow) -> Void])
    func rowsComeBackAsTheyWere(change: @Sendable (inout SnapshotRow) -> Void) throws {
        var row = Self.unchanged(1)
        change(&row)
        let message = CatalogMessage.snapshotBatch(SnapshotBatch(poller: "p1", rows: [row]))
        #expect(try CatalogMessage(message.encoded()) == message)
    }

    @Test func recordsOfAKindOfLaterHoldNothingUp() throws {
        let later = RecordKind(rawValue: "alias")
        let entries = [
            CheckpointEntry(kind: later, id: "a", revision: 2),
            CheckpointEntry(kind: .endpoint, id: Sample.id(1), revision: 1),
        ]
        let part = CheckpointPart(
            registry: Sample.registry, incarnation: 1, revision: 3, part: 0, parts: 1, entries: entries, madeAt: 1)
        let catalog = Catalog([
            Sample.created(1, revision: 1),
            .registryChanged(RegistryChange(tombstoneOf: later, id: "b", revision: 3)), .registryCheckpoint(part),
        ])
        #expect(catalog.completeness.hasRecords)
        #expect(catalog.highestRevision == 3)
    }
}
