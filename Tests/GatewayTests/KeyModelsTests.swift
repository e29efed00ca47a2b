import Catalog
import Foundation
import Testing

@testable import Gateway

/// What a key with patterns sees: those models and nothing else.
@Suite struct KeyModelsTests {
    /// `org` is for two models of `org`, `all` for all, `none` for what is not there.
    static let messages: [CatalogMessage] =
        [
            Fleet.record(Fleet.firstID, "alpha", revision: 1), Fleet.record(Fleet.secondID, "beta", revision: 2),
            Fleet.row(Fleet.firstID, generation: 1, tick: 10, models: ["Org/a", "org/b:7b", "other/c"]),
            Registered.change(Registered.record("Org/A", revision: 3)),
            Registered.change(Registered.record("Other/C", revision: 4)),
        ]
        + [("org", ["org/*"]), ("same", ["ORG/*", "org/*"]), ("all", ["*"]), ("none", ["none"])].map {
            Keys.made($0.0, scopes: [.models, .endpointsRead], models: $0.1)
        }

    private func bench() throws -> Bench { try Bench(Self.messages, adminKey: Keys.admin) }

    private func names(_ answer: Answer, _ list: String, _ field: String) throws -> [String?] {
        try #require(answer.json()[list] as? [[String: Any]]).map { $0[field] as? String }
    }

    @Test func theListHasOnlyItsModelsAndAnETagOfItsOwn() async throws {
        let bench = try bench()
        let whole = try await bench.send("GET", "/v1/models", headers: ["X-API-Key": Keys.admin])
        let part = try await bench.send("GET", "/v1/models", headers: Keys.bearer("org"))
        #expect(part.status == 200 && part.header("Content-Type") == "application/json")
        #expect(part.header("X-Catalog-Version") == whole.header("X-Catalog-Version"))
        #expect(try names(part, "data", "id") == ["Org/a", "org/b:7b"])
        let etag = try #require(part.header("ETag"))
        #expect(etag != whole.header("ETag"))
        let unchanged = try await bench.send(
            "GET", "/v1/models", headers: Keys.bearer("org").merging(["If-None-Match": etag]) { $1 })
        #expect(unchanged.status == 304 && unchanged.bytes.isEmpty && unchanged.header("ETag") == etag)
        let changed = try await bench.send(
            "GET", "/v1/models",
            headers: Keys.bearer("org").merging(["If-None-Match": try #require(whole.header("ETag"))]) { $1 })
        #expect(changed.status == 200)
        let head = try await bench.send("HEAD", "/v1/models", headers: Keys.bearer("org"))
        #expect(head.status == 200 && head.bytes.isEmpty && head.header("ETag") == etag)
        #expect(head.header("Content-Length") == "\(part.bytes.count)")
        #expect(
            try await bench.send("GET", "/v1/models", headers: Keys.bearer("none")).text
                == #"{"object":"list","data":[]}"#)
        #expect(try await bench.send("GET", "/v1/models", headers: Keys.bearer("all")).bytes == whole.bytes)
    }

    @Test func aViewIsEncodedOncePerChangeOfTheList() async throws {
        let bench = try bench()
        for key in ["org", "same", "org", "same"] {
            #expect(try await bench.send("GET", "/v1/models", headers: Keys.bearer(key)).status == 200)
        }
        #expect(bench.responder.lists.restricted.made == 1, "two keys of the same patterns share it")
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["org/new", "other/c"])])
        for _ in 0..<2 {
            let later = try await bench.send("GET", "/v1/models", headers: Keys.bearer("org"))
            #expect(try names(later, "data", "id") == ["org/new"])
        }
        #expect(bench.responder.lists.restricted.made == 2)
    }

    @Test func requestsForOnePartAtATimeShareIt() async throws {
        let catalog = HeldCatalog(Self.messages)
        let cache = RestrictedListCache()
        let view = catalog.view
        let etags = await withTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { cache.part(of: ModelPatterns(["org/*"]), in: view).etag } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(etags.count == 1 && cache.made == 1)
    }

    @Test func theViewsHeldAreBounded() throws {
        let catalog = HeldCatalog(Self.messages)
        let views = RestrictedListCache(maximumCount: 3, maximumBytes: 100_000)
        for number in 0..<10 { _ = views.part(of: ModelPatterns(["\(number)"]), in: catalog.view) }
        #expect(views.count == 3)
        #expect(views.made == 10)
        _ = views.part(of: ModelPatterns(["7"]), in: catalog.view)
        _ = views.part(of: ModelPatterns(["new"]), in: catalog.view)
        _ = views.part(of: ModelPatterns(["7"]), in: catalog.view)
        #expect(views.made == 11, "the one asked for longest ago went, not the one just used")
        let small = RestrictedListCache(maximumCount: 100, maximumBytes: 700)
        for number in 0..<10 { _ = small.part(of: ModelPatterns(["*", "\(number)"]), in: catalog.view) }
        #expect((1...2).contains(small.count), "\(small.count) of \(catalog.modelList.bytes.count) bytes each")
    }

    @Test func otherModelsAreNotThere() async throws {
        let bench = try bench()
        #expect(try await bench.send("GET", "/v1/models/Org/a", headers: Keys.bearer("org")).status == 200)
        for path in ["/v1/models/other/c", "/v1/models/other%2Fc"] {
            let answer = try await bench.send("GET", path, headers: Keys.bearer("org"))
            #expect(try answer.status == 404 && answer.errorCode() == "model_not_found")
            #expect(try await bench.send("GET", path, headers: Keys.bearer("all")).status == 200)
        }
        for path in ["/v0/models/other/c", "/v0/models/Other/C", "/v0/models/registry/other/c/manifest.json"] {
            let answer = try await bench.send("GET", path, headers: Keys.bearer("org"))
            #expect(try answer.status == 404 && answer.errorCode() == "model_not_registered")
            #expect(try await bench.send("GET", path, headers: Keys.bearer("all")).status == 200)
        }
        for path in ["/v0/models/org/a", "/v0/models/registry/ORG/a/manifest.json"] {
            #expect(try await bench.send("GET", path, headers: Keys.bearer("org")).status == 200)
        }
    }

    /// `qwen3` is the name of Ollama's `qwen3:latest`. The list of a key changes also if only the names of its models do.
    @Test func aKeyMayNameAModelByAnyOfItsNames() async throws {
        func row(_ tick: Int64, aliases: [ModelID]?) -> CatalogMessage {
            var row = SnapshotRow(
                endpoint: Fleet.firstID, generation: 1, tick: tick, poller: "p1", state: .online, kind: .ollama,
                observedAt: 1_700_000_002_345, digest: "\(tick)")
            row.models = [
                ModelEntry(id: ModelID("qwen3:latest"), firstSeen: 1),
                ModelEntry(id: ModelID("coder-30b"), aliases: aliases, firstSeen: 1),
                ModelEntry(id: ModelID("other"), firstSeen: 1),
            ]
            return .snapshotBatch(SnapshotBatch(poller: "p1", rows: [row]))
        }
        let bench = try Bench(
            [Fleet.record(Fleet.firstID, "alpha", revision: 1), row(10, aliases: [ModelID("fim")])]
                + [("named", ["qwen3", "fim"]), ("whole", ["coder-*"])].map {
                    Keys.made($0.0, scopes: [.models], models: $0.1)
                }, adminKey: Keys.admin)
        func ids(_ key: String) async throws -> [String?] {
            try names(try await bench.send("GET", "/v1/models", headers: Keys.bearer(key)), "data", "id")
        }
        #expect(try await ids("named") == ["coder-30b", "qwen3:latest"])
        #expect(try await ids("whole") == ["coder-30b"])
        for (key, name, status) in [
            ("named", "qwen3", 200), ("named", "qwen3:latest", 200), ("named", "fim", 200), ("named", "coder-30b", 200),
            ("named", "other", 404), ("whole", "fim", 200), ("whole", "coder-30b", 200), ("whole", "qwen3", 404),
        ] {
            let answer = try await bench.send("GET", "/v1/models/\(name)", headers: Keys.bearer(key))
            #expect(answer.status == status, "\(key) \(name)")
        }
        bench.catalog.apply([row(11, aliases: nil)])
        #expect(try await ids("named") == ["qwen3:latest"])
    }

    @Test func listsOfRegistrationsHaveOnlyItsOwn() async throws {
        let bench = try bench()
        func check(_ path: String) async throws {
            for (key, expected) in [("org", ["org/a"]), ("none", []), ("all", ["org/a", "other/c"])] {
                let answer = try await bench.send("GET", path, headers: Keys.bearer(key))
                #expect(try names(answer, "models", "name") == expected)
                #expect(try answer.json()["total"] as? Int == expected.count)
            }
        }
        for path in ["/v0/models", "/v0/models/hub"] {
            // Whoever comes first, and after a change that the restricted caller sees first.
            try await check(path)
            let whole = try await bench.send("GET", path, headers: ["X-API-Key": Keys.admin])
            #expect(try names(whole, "models", "name") == ["org/a", "other/c"])
            try await check(path)
        }
        var changed = Registered.record("Org/A", revision: 9)
        changed.displayName = "Other name"
        bench.catalog.apply([Registered.change(changed)])
        for path in ["/v0/models", "/v0/models/hub"] {
            try await check(path)
            for key in [Keys.bearer("org"), ["X-API-Key": Keys.admin]] {
                #expect(try await bench.send("GET", path, headers: key).text.contains("Other name"))
            }
        }
        bench.catalog.apply([.registryChanged(RegistryChange(tombstoneOf: .registration, id: "other/c", revision: 10))])
        for path in ["/v0/models", "/v0/models/hub"] {
            for key in [Keys.bearer("all"), ["X-API-Key": Keys.admin]] {
                #expect(try names(try await bench.send("GET", path, headers: key), "models", "name") == ["org/a"])
            }
        }
    }

    @Test func endpointsShowOnlyItsModels() async throws {
        let bench = try bench()
        let answer = try await bench.send("GET", "/v0/endpoints/alpha", headers: Keys.bearer("org"))
        #expect(try names(answer, "models", "id") == ["Org/a", "org/b:7b"])
        #expect(try answer.json()["model_count"] as? Int == 2)
        let list = try await bench.send("GET", "/v0/endpoints", headers: Keys.bearer("org")).json()
        #expect((list["endpoints"] as? [[String: Any]])?.map { $0["model_count"] as? Int } == [2, 0])
        let whole = try await bench.send("GET", "/v0/endpoints/alpha", headers: ["X-API-Key": Keys.admin])
        #expect(try names(whole, "models", "id").count == 3)
    }

    @Test func aCallerSaysWhichModelsItMayUse() {
        let caller = Caller(identity: .key(id: "k"), models: ModelPatterns(["org/*"]))
        #expect(caller.allows(model: ModelID("Org/x")) && !caller.allows(model: ModelID("other/x")))
        #expect(Caller.admin.allows(model: ModelID("x")) && Caller.anonymous.allows(model: ModelID("x")))
        #expect([caller, .admin, .anonymous].map(\.name) == ["key:k", "admin", "anonymous"])
    }
}
