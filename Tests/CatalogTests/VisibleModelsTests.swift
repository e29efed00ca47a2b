import TestSupport
import Testing

@testable import Catalog

@Suite struct VisibleModelsTests {
    private static let readiness = Readiness(
        isReady: true, isCurrent: true, isUnconfirmed: false, lacksCheckpoint: false, reason: nil, publishInFull: false)

    /// The views after each of these lists of one endpoint.
    private static func views(_ lists: [[String]]) -> [CatalogView] {
        var catalog = Catalog([Sample.created(1, revision: 1)])
        var builder = CatalogViewBuilder()
        return lists.enumerated().map { tick, models in
            let row = Sample.row(1, generation: 1, tick: Int64(tick + 1), models: models)
            _ = catalog.apply(Sample.batch(row), at: Int64(1000 + tick))
            return builder.view(of: &catalog, readiness: readiness, knownCurrent: nil)
        }
    }

    private static func visible(_ models: [String]) throws -> VisibleModels {
        try #require(views([models]).last?.visible)
    }

    private static func near(_ id: String, _ models: VisibleModels) -> [String] {
        models.near(id, count: 3).models.map(\.id.value)
    }

    @Test func namesAreTheLastPartInAnyCase() throws {
        let names = try Self.visible(["b/Zeta", "c/alpha", "Alpha", "beta", "a/alpha", "x/", "caf\u{E9}"])
        #expect(
            names.byName.map(\.id.value) == ["x/", "Alpha", "a/alpha", "c/alpha", "beta", "caf\u{E9}", "b/Zeta"])
        #expect(names.models.map(\.id) == names.models.map(\.id).sorted())
    }

    /// The order by name is kept up to date change by change, and must be what sorting anew would give.
    @Test func bothOrdersFollowTheList() {
        var generator = SeededGenerator(seed: 11)
        let pool = (0..<400).map { number in
            ["org", "Org", "other", ""].randomElement(using: &generator).map { $0 + ($0.isEmpty ? "" : "/") }!
                + "M\(number % 150)-\(number)"
        }
        let lists = (0..<60).map { _ in
            pool.shuffled(using: &generator).prefix(Int.random(in: 0...400, using: &generator)).map(\.self)
        }
        for (view, list) in zip(Self.views(lists), lists) {
            #expect(Set(view.visible.models.map(\.id.value)) == Set(list))
            #expect(view.visible.models.map(\.id) == list.map { ModelID($0) }.sorted())
            let expected = view.visible.models.sorted { ModelName.compare($0.id, $1.id) < 0 }
            #expect(view.visible.byName.map(\.id) == expected.map(\.id))
        }
    }

    @Test func shortNamesMayHaveOneLetterWrong() throws {
        let models = try Self.visible(["phi", "m1", "yi", "other-model"])
        for (asked, meant) in [("phy", "phi"), ("ph", "phi"), ("m2", "m1"), ("yo", "yi")] {
            #expect(Self.near(asked, models).first == meant, "\(asked)")
        }
        #expect(Self.near("x", models) == [] && Self.near("abc", models) == [])
    }

    /// However many models there are, and whatever is asked for.
    @Test func theWorkIsBounded() throws {
        let ids = (0..<30_000).map { "org-\($0 % 97)/model-\($0 / 100)-\($0)b:q\($0 % 7)" }
        let models = try Self.visible(ids)
        #expect(models.models.count == 30_000)
        let asked =
            [
                "", "m", "model", "model-12", "model-12-1234b", "x/model-12-1234b:q9",
                String(repeating: "a", count: 60_000),
            ]
            + [String(repeating: "m-", count: 30_000), "zzz", ids[77] + ":latest", "MODEL-250-25003B:Q1"]
        for id in asked {
            let near = models.near(id, count: 3)
            #expect(near.comparisons <= 200, "\(near.comparisons) for \(id.prefix(40))")
            #expect(near.models.count <= 3)
        }
        #expect(Self.near("MODEL-250-25003B:Q6", models).first == "org-74/model-250-25003b:q6")
    }

    @Test func amongManyTheNearestIsFoundAsWell() throws {
        let noise = (0..<5000).map { "noise/n\($0)" } + (0..<500).map { "q/qwen3-8b-\($0)" }
        let models = try Self.visible(
            noise + ["Qwen/Qwen3-8B", "qwen3-8b:latest", "mistral-small", "llama3.1:latest", "DeepSeek-R1-Q4_K_M.gguf"])
        for (asked, meant) in [
            ("qwen3-8b", "qwen3-8b:latest"), ("qwen/qwen3-8b", "Qwen/Qwen3-8B"), ("x/QWEN3-8B", "Qwen/Qwen3-8B"),
            ("qwen3-8b-q4_k_m.gguf", "Qwen/Qwen3-8B"), ("mistral-smal", "mistral-small"),
            ("LLAMA3.1", "llama3.1:latest"),
            ("DeepSeek-R1", "DeepSeek-R1-Q4_K_M.gguf"), ("mistral-smell", "mistral-small"),
        ] {
            #expect(Self.near(asked, models).first == meant, "\(asked)")
        }
        #expect(Self.near("gpt-4o", models) == [])
    }

    @Test func pagesFollowTheOrderOfTheList() throws {
        let ids = (0..<100).map { "m\(100 + $0)" }
        let models = try Self.visible(ids.shuffled())
        var seen: [String] = []
        var place = ModelPage.Place.start
        while true {
            let page = models.page(place, limit: 7)
            seen += page.models.map(\.id.value)
            guard page.hasMore, let last = page.models.last else { break }
            place = .after(last.id)
        }
        #expect(seen == ids)
        seen = []
        place = .before(ModelID("n"))
        while true {
            let page = models.page(place, limit: 7)
            seen = page.models.map(\.id.value) + seen
            guard page.hasMore, let first = page.models.first else { break }
            place = .before(first.id)
        }
        #expect(seen == ids)
        #expect(models.page(.start, limit: 100).hasMore == false && models.page(.start, limit: 99).hasMore)
    }
}
