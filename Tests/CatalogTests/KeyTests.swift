import Catalog
import Foundation
import Testing

@Suite struct KeyTests {
    private let digest = Sample.key(1, revision: 1).digest

    private func checkpoint(_ entries: [CheckpointEntry], revision: Int64) -> CatalogMessage {
        .registryCheckpoint(
            CheckpointPart(
                registry: Sample.registry, incarnation: 1, revision: revision, part: 0, parts: 1, entries: entries,
                madeAt: 1000))
    }

    @Test func aKeyIsFoundByItsDigestUntilItIsRevoked() {
        var catalog = Catalog()
        #expect(catalog.apply(Sample.made(1, models: ["a*"], revision: 3), at: 0) == [.keyChanged(id: Sample.id(1))])
        #expect(catalog.key(digest: digest)?.record == Sample.key(1, models: ["a*"], revision: 3))
        #expect(catalog.key(digest: digest)?.models == ModelPatterns(["A*"]))
        #expect(catalog.key(id: Sample.id(1)) != nil && catalog.highestRevision == 3)
        #expect(catalog.key(digest: Sample.key(2, revision: 1).digest) == nil)
        #expect(catalog.apply(Sample.revoked(1, revision: 4), at: 1) == [.keyChanged(id: Sample.id(1))])
        #expect(catalog.key(digest: digest) == nil && catalog.keys.isEmpty)
        // A replay does not bring it back.
        #expect(catalog.apply(Sample.made(1, revision: 3), at: 2).isEmpty)
        #expect(catalog.key(digest: digest) == nil)
    }

    @Test func aCheckpointThatDoesNotListItEndsIt() {
        var catalog = Catalog([Sample.made(1, revision: 3), Sample.made(2, revision: 9)])
        let effects = catalog.apply(checkpoint([], revision: 5), at: 2)
        #expect(effects.contains(.keyChanged(id: Sample.id(1))))
        #expect(catalog.keys.map(\.id) == [Sample.id(2)])
        #expect(catalog.key(digest: digest) == nil)
        #expect(catalog.apply(Sample.made(1, revision: 3), at: 3).isEmpty, "refused for good")
        #expect(catalog.key(digest: digest) == nil)
    }

    @Test func theCatalogIsCompleteOnlyWithEveryKeyThatTheCheckpointLists() {
        var catalog = Catalog([checkpoint([CheckpointEntry(kind: .key, id: Sample.id(1), revision: 3)], revision: 3)])
        #expect(catalog.completeness.missingRecords == 1)
        _ = catalog.apply(Sample.made(1, revision: 3), at: 1)
        #expect(catalog.completeness.hasRecords)
    }

    @Test func keysAreSortedByNameThenID() {
        let catalog = Catalog([
            Sample.made(3, name: "a", revision: 1), Sample.made(2, name: "b", revision: 2),
            Sample.made(1, name: "b", revision: 3),
        ])
        #expect(catalog.keys.map(\.id) == [Sample.id(3), Sample.id(1), Sample.id(2)])
    }

    @Test func keysComeThroughTheStreamAsTheyAre() throws {
        let record = KeyRecord(
            id: Sample.id(1), name: "n", digest: digest, scopes: [.admin, .endpointsRead], models: ["a/*"],
            expiresAt: 2_000_000_000, revision: 3, createdAt: 1)
        let message = CatalogMessage.registryChanged(RegistryChange(record))
        #expect(try CatalogMessage(message.encoded()) == message)
        let other = RegistryChange(Sample.key(1, revision: 3))
        var wrong = other
        wrong.revision = 4
        #expect(throws: (any Error).self) {
            try CatalogMessage(CatalogMessage.registryChanged(wrong).encoded())
        }
    }

    @Test(
        arguments: [
            ("", [Scope.models], nil, "invalid_name"), ("a\nb", [.models], nil, "invalid_name"),
            (String(repeating: "x", count: 101), [.models], nil, "invalid_name"),
            ("n", [], nil, "invalid_scopes"), ("n", [.models, .models], nil, "invalid_scopes"),
            ("n", [.models], [], "invalid_models"), ("n", [.models], [""], "invalid_models"),
            ("n", [.models], [String](repeating: "x", count: 101), "invalid_models"),
            ("n", [.models], [String(repeating: "x", count: 257)], "invalid_models"),
            ("n", [.models], ["a\u{0}"], "invalid_models"), ("n", [.admin, .models], ["a"], "invalid_models"),
        ] as [(String, [Scope], [String]?, String)])
    func whatBreaksTheRulesIsRefused(_ name: String, _ scopes: [Scope], _ models: [String]?, _ code: String) {
        let error = #expect(throws: APIError.self) {
            try KeyRules.check(name: name, scopes: scopes, models: models)
        }
        #expect(error?.code == code && error?.param == code.dropFirst("invalid_".count).description)
    }

    @Test func whatKeepsTheRulesPasses() throws {
        try KeyRules.check(name: "Jürgen's laptop 💻", scopes: Scope.allCases, models: nil)
        try KeyRules.check(
            name: String(repeating: "x", count: 100), scopes: [.inference],
            models: [String](repeating: String(repeating: "x", count: 256), count: 100))
    }
}

@Suite struct ModelPatternsTests {
    @Test(arguments: [
        ("*", "", true), ("*", "org/model:7b", true), ("", "", true), ("", "a", false),
        ("qwen/*", "qwen/qwen3-8b", true), ("qwen/*", "qwen/", true), ("qwen/*", "qwen", false),
        ("qwen/*", "other/qwen/x", false), ("*/*", "a/b/c", true), ("*:7b", "qwen2.5-coder:7b", true),
        ("*:7b", "a:7b:7b", true), ("*:7b", "a:7bb", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("a?c", "abbc", false), ("???", "ab", false), ("a**b", "ab", true), ("a*?b", "ab", false),
        ("a*?b", "axb", true), ("QWEN/*", "qwen/A", true), ("qwen/a", "Qwen/A", true), ("[ab]", "a", false),
        ("[ab]", "[AB]", true), ("a.c", "abc", false), ("model", "model2", false), ("*a*b*", "xxaxxbxx", true),
        ("*a*b*", "xxbxxa", false), ("caf\u{E9}", "cafe\u{301}", false), ("caf??", "caf\u{E9}", true),
        ("*\u{C9}", "\u{E9}", false),
    ])
    func table(_ pattern: String, _ id: String, _ isMatch: Bool) {
        #expect(ModelPatterns([pattern]).match(ModelID(id)) == isMatch)
    }

    @Test func oneOfSeveralIsEnoughAndTheirOrderIsNoMatter() {
        let patterns = ModelPatterns(["b", "A*", "b"])
        #expect(patterns.match("b") && patterns.match("ax") && !patterns.match("c"))
        #expect(patterns == ModelPatterns(["a*", "b"]))
        #expect(!ModelPatterns([]).match("a"))
    }

    /// What takes a backtracking matcher longer than the world has been there.
    @Test(.timeLimit(.minutes(1))) func hostilePatternsTakeBoundedTime() {
        let text = ModelID(String(repeating: "a", count: 2000))
        let hostile = [
            String(repeating: "a*", count: 127) + "b", String(repeating: "*a", count: 127) + "b",
            String(repeating: "*?", count: 127) + "b", String(repeating: "*", count: 255) + "b",
        ]
        let started = ContinuousClock.now
        for pattern in hostile { #expect(!ModelPatterns([pattern]).match(text)) }
        #expect(ContinuousClock.now - started < .seconds(5))
    }

    @Test func aPartOfTheListIsMadeOfTheSameLines() throws {
        var catalog = Catalog([
            Sample.created(1, revision: 1), Sample.created(2, revision: 2),
            Sample.batch(Sample.row(1, generation: 1, tick: 1, models: ["b/x", "a/x", "c"])),
            Sample.batch(Sample.row(2, generation: 2, tick: 1, models: ["a/off"], state: .offline)),
        ])
        let part = catalog.modelList(of: ModelPatterns(["a/*", "C"]))
        let lines = ["a/x", "c"].compactMap { catalog.modelEntry(ModelID($0)) }.map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(lines.count == 2)
        #expect(
            String(decoding: part.list.bytes, as: UTF8.self)
                == #"{"object":"list","data":[\#(lines.joined(separator: ","))]}"#)
        #expect(catalog.modelList(of: ModelPatterns(["*"])).list == catalog.modelList)
        let none = catalog.modelList(of: ModelPatterns(["none"])).list
        #expect(String(decoding: none.bytes, as: UTF8.self) == #"{"object":"list","data":[]}"#)
        // The names of another list are never answered for this one.
        _ = catalog.apply(Sample.batch(Sample.row(1, generation: 1, tick: 2, models: ["c"])), at: 9)
        #expect(catalog.modelList(of: ModelPatterns(["a/*"])).list == none)
    }
}
