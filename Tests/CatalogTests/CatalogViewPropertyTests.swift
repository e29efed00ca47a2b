import TestSupport
import Testing

@testable import Catalog

/// Views over histories made up at random, compared with what is made from nothing.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CatalogViewPropertyTests {
    private static let readiness = Readiness(
        isReady: true, isCurrent: true, isUnconfirmed: false, lacksCheckpoint: false, reason: nil, publishInFull: false)
    private static let models = [
        "a", "caf\u{E9}", "cafe\u{301}", "org/x:7b", "org/x", "ORG/X", "other/X", "org/a", "y", "y:latest", "z",
        "z:latest", "none",
    ]

    /// One builder for all views of a history, with a part of its work done between two messages.
    @Test(arguments: 500..<540 as Range<UInt64>)
    func viewIsWhatAFreshOneWouldBe(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let log = SimulatedSenders(steps: 40, pollers: 2, using: &generator).interleaved(replays: 1, using: &generator)
            .map(Self.withOllama)
        var catalog = Catalog()
        var builder = CatalogViewBuilder()
        for (offset, message) in log.enumerated() {
            _ = catalog.apply(message, at: Int64(offset))
            if Bool.random(using: &generator) { _ = builder.prepare(&catalog, until: { true }) }
            guard Int.random(in: 0..<8, using: &generator) == 0 else { continue }
            let view = builder.view(of: &catalog, readiness: Self.readiness, knownCurrent: nil)
            Self.expect(view, isOf: log[...offset], seed)
        }
    }

    /// Copies of a catalog that go on apart, of which one builder makes views in turn.
    @Test(arguments: 600..<620 as Range<UInt64>)
    func anyCatalogMayBeGivenAtAnyTime(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let log = SimulatedSenders(steps: 30, pollers: 2, using: &generator).interleaved(using: &generator)
            .map(Self.withOllama)
        var logs: [[CatalogMessage]] = [[], []]
        var catalogs = [Catalog(), Catalog()]
        var builder = CatalogViewBuilder()
        for message in log {
            let place = Int.random(in: 0...1, using: &generator)
            if Int.random(in: 0..<20, using: &generator) == 0 {
                catalogs[1 - place] = catalogs[place]
                logs[1 - place] = logs[place]
            }
            _ = catalogs[place].apply(message, at: Int64(logs[place].count))
            logs[place].append(message)
            guard Int.random(in: 0..<6, using: &generator) == 0 else { continue }
            let viewed = Int.random(in: 0...1, using: &generator)
            let view = builder.view(of: &catalogs[viewed], readiness: Self.readiness, knownCurrent: nil)
            Self.expect(view, isOf: logs[viewed][...], seed)
        }
    }

    /// The made-up histories know no kinds and no tags.
    private static func withOllama(_ message: CatalogMessage) -> CatalogMessage {
        func changed(_ row: SnapshotRow) -> SnapshotRow {
            var row = row
            row.kind = [.ollama, .ollama, .vllm, nil][Int(row.tick / 4 % 4)]
            guard row.generation % 3 > 0 else { return row }
            let tagged: [ModelID: ModelID] = ["z": "z:latest", "a": "y:latest"]
            row.models = row.models?.map { entry in
                var entry = entry
                entry.id = tagged[entry.id] ?? entry.id
                return entry
            }
            return row
        }
        switch message {
        case .snapshotBatch(var batch):
            batch.rows = batch.rows.map(changed)
            return .snapshotBatch(batch)
        case .refresh(var refresh):
            refresh.snapshots = refresh.snapshots.map(changed)
            return .refresh(refresh)
        default: return message
        }
    }

    private static func expect(_ view: CatalogView, isOf log: ArraySlice<CatalogMessage>, _ seed: UInt64) {
        var catalog = Catalog(Array(log))
        var builder = CatalogViewBuilder()
        let fresh = builder.view(of: &catalog, readiness: readiness, knownCurrent: nil)
        #expect(view.list == fresh.list && view.list == catalog.modelList, "seed \(seed)")
        #expect(view.version == catalog.version, "seed \(seed)")
        let patterns = ModelPatterns(["*a*", "z"])
        let (part, same) = (view.list(of: patterns), catalog.modelList(of: patterns))
        #expect(part.list == same.list, "seed \(seed)")
        for (models, fresh) in [(view.visible, fresh.visible), (part.models, same.models)] {
            #expect(models.models.map(\.id) == fresh.models.map(\.id), "seed \(seed)")
            #expect(models.byName.map(\.id) == fresh.byName.map(\.id), "seed \(seed)")
            #expect(models.models.map(\.created) == fresh.models.map(\.created), "seed \(seed)")
        }
        for number in 1...6 {
            let digest = Sample.key(number, revision: 0).digest
            #expect(view.key(digest: digest)?.record == catalog.key(digest: digest)?.record, "seed \(seed)")
            #expect(view.key(digest: digest)?.models == catalog.key(digest: digest)?.models, "seed \(seed)")
        }
        for model in models {
            #expect(view.entry(ModelID(model)) == fresh.entry(ModelID(model)), "seed \(seed), \(model)")
            let holders = view.holders(of: model)
            #expect(texts(holders) == texts(fresh.holders(of: model)), "seed \(seed), \(model)")
            let expected = ReferenceHolders(model, catalog)
            #expect(Set(texts(holders)) == expected.holders, "seed \(seed), \(model)")
            #expect(holders.holders.count == expected.holders.count, "seed \(seed), \(model)")
            #expect(holders.isRegistered == expected.isRegistered, "seed \(seed), \(model)")
            #expect(view.entry(ModelID(model)) == expected.entry, "seed \(seed), \(model)")
        }
    }

    private static func texts(_ holders: ModelHolders) -> [String] {
        holders.holders.map { ReferenceHolders.text($0.endpoint.record, $0.endpoint.state) }
    }
}

/// The endpoints that have a model, found in the plainest way.
private struct ReferenceHolders {
    var holders: Set<String> = []
    var isRegistered = false
    var entry: [UInt8]?

    init(_ model: String, _ catalog: Catalog) {
        let id = ModelID(model)
        var having = catalog.endpoints.filter { Self.lists($0, id) }
        entry = catalog.modelEntry(id)
        if having.isEmpty {
            let latest = ModelID(model + ":latest")
            having = catalog.endpoints.filter { Self.lists($0, latest) && $0.snapshot?.health.kind == .ollama }
            if having.contains(where: { $0.state.isUsable }) { entry = catalog.modelEntry(latest) }
        }
        holders = Set(having.map { Self.text($0.record, $0.state) })
        guard let registration = catalog.registration(named: model.lowercased()) else { return }
        isRegistered = true
        for serving in registration.serving {
            guard let endpoint = catalog.endpoint(id: serving.endpoint) else { continue }
            holders.insert(Self.text(endpoint.record, endpoint.state))
        }
    }

    static func text(_ record: EndpointRecord, _ state: EndpointState) -> String {
        "\(record.id) \(record.name) \(record.revision) \(state)"
    }

    private static func lists(_ endpoint: EndpointView, _ id: ModelID) -> Bool {
        endpoint.snapshot?.models.contains { $0.id == id } ?? false
    }
}
