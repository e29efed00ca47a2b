import Testing

@testable import Catalog

@Suite struct CatalogViewTests {
    private static let readiness = Readiness(
        isReady: true, isCurrent: true, isUnconfirmed: false, lacksCheckpoint: false, reason: nil, publishInFull: false)

    /// A catalog and the builder that makes views of it.
    private struct Viewed {
        var catalog: Catalog
        var builder = CatalogViewBuilder()

        init(_ log: [CatalogMessage]) { catalog = Catalog(log) }

        mutating func view(after messages: CatalogMessage...) -> CatalogView {
            for message in messages { _ = catalog.apply(message, at: 1000) }
            return builder.view(of: &catalog, readiness: CatalogViewTests.readiness, knownCurrent: nil)
        }
    }

    private static func row(
        _ number: Int, tick: Int64 = 1, _ models: [String]?, kind: EndpointKind = .vllm, state: EndpointState = .online
    ) -> SnapshotRow {
        var row = Sample.row(number, generation: Int64(number), tick: tick, models: models, state: state)
        row.kind = kind
        return row
    }

    /// Endpoints e1, e2, …, each with one row.
    private static func fleet(_ rows: SnapshotRow...) -> [CatalogMessage] {
        rows.indices.map { Sample.created($0 + 1, revision: Int64($0 + 1)) } + rows.map { Sample.batch($0) }
    }

    private static func names(_ holders: ModelHolders) -> [String] {
        holders.holders.map { "\($0.endpoint.record.name) \($0.model.value)" }
    }

    @Test func holdersAreThoseThatListTheIDInAnyState() {
        let log = Self.fleet(
            Self.row(1, ["m", "other"]), Self.row(2, ["M"]), Self.row(3, ["m"], state: .offline),
            Self.row(4, ["m"], state: .degraded))
        var viewed = Viewed([Sample.created(9, name: "a", revision: 9)] + log)
        let view = viewed.view(after: Sample.batch(Self.row(9, ["m"])))
        let found = view.holders(of: "m")
        #expect(Self.names(found) == ["a m", "e1 m", "e3 m", "e4 m"])
        #expect(found.holders.map(\.endpoint.state) == [.online, .online, .offline, .degraded])
        #expect(!found.isRegistered)
        #expect(Self.names(view.holders(of: "M")) == ["e2 M"])
        for none in ["", "mm", "n", "\u{10FFFF}"] { #expect(view.holders(of: none).holders.isEmpty) }
        let old = viewed.view(after: Sample.created(1, revision: 20)).holders(of: "m")
        #expect(Self.names(old) == ["a m", "e3 m", "e4 m"])
    }

    @Test func idsAreFoundByTheirBytes() {
        var viewed = Viewed(Self.fleet(Self.row(1, ["caf\u{E9}"]), Self.row(2, ["cafe\u{301}"])))
        let view = viewed.view()
        #expect(Self.names(view.holders(of: "caf\u{E9}")) == ["e1 caf\u{E9}"])
        #expect(view.holders(of: "cafe\u{301}").holders.map(\.endpoint.record.name) == ["e2"])
        #expect(view.entry("caf\u{E9}") != view.entry("cafe\u{301}"))
    }

    @Test func anOllamaModelIsFoundWithoutItsTag() {
        var viewed = Viewed(
            Self.fleet(
                Self.row(1, ["m:latest", "n:latest", "o:latest"], kind: .ollama), Self.row(2, ["m:latest"]),
                Self.row(3, ["n", "m:latest"], kind: .ollama, state: .offline),
                Self.row(4, ["p:latest"], kind: .ollama, state: .offline)))
        var view = viewed.view()
        #expect(Self.names(view.holders(of: "m")) == ["e1 m:latest", "e3 m:latest"])
        #expect(Self.names(view.holders(of: "m:latest")) == ["e1 m:latest", "e2 m:latest", "e3 m:latest"])
        #expect(view.entry("m") == view.entry("m:latest") && view.entry("m") != nil)
        // A real id wins, also one that only an offline endpoint lists.
        #expect(Self.names(view.holders(of: "n")) == ["e3 n"])
        #expect(view.entry("n") == nil)
        #expect(Self.names(view.holders(of: "p")) == ["e4 p:latest"])
        #expect(view.entry("p") == nil)
        for none in ["m:lates", ":latest", "", "m:latest:latest"] { #expect(view.holders(of: none).holders.isEmpty) }
        // Not listed twice.
        #expect(String(decoding: view.list.bytes, as: UTF8.self).split(separator: #""id":"m"#).count == 2)
        #expect(viewed.catalog.modelList == view.list)
        // The kind is what the polls found out.
        view = viewed.view(
            after: Sample.batch(Self.row(1, tick: 2, nil, kind: .openai), Self.row(2, tick: 2, nil, kind: .ollama)))
        #expect(Self.names(view.holders(of: "m")) == ["e2 m:latest", "e3 m:latest"])
        #expect(view.entry("o") == nil)
    }

    @Test func aModelIsFoundByItsAliases() {
        var row = Self.row(1, ["m", "x"], kind: .llamacpp)
        row.models?[0].aliases = ["fim", "x", "two"]
        var other = Self.row(2, ["n"], kind: .llamacpp)
        other.models?[0].aliases = ["two"]
        var viewed = Viewed(Self.fleet(row, other, Self.row(3, ["fim-2"])))
        var view = viewed.view()
        #expect(Self.names(view.holders(of: "fim")) == ["e1 m"])
        #expect(view.entry("fim") == view.entry("m") && view.entry("m") != nil)
        #expect(Self.names(view.holders(of: "x")) == ["e1 x"], "a real id wins")
        #expect(Self.names(view.holders(of: "two")) == ["e1 m", "e2 n"])
        #expect(viewed.catalog.modelList == view.list)
        let stamp = view.modelStamp
        // Another endpoint lists the alias as a model; then it is gone again.
        view = viewed.view(after: Sample.batch(Self.row(3, tick: 2, ["fim"])))
        #expect(Self.names(view.holders(of: "fim")) == ["e3 fim"] && view.modelStamp != stamp)
        view = viewed.view(after: Sample.batch(Self.row(3, tick: 3, ["fim-2"])))
        #expect(Self.names(view.holders(of: "fim")) == ["e1 m"])
        // The list is the same without the alias.
        let list = view.list
        var later = Self.row(1, tick: 4, ["m", "x"], kind: .llamacpp)
        later.digest = "other"
        view = viewed.view(after: Sample.batch(later))
        #expect(view.holders(of: "fim").holders.isEmpty && view.entry("fim") == nil && view.list == list)
        #expect(Self.names(view.holders(of: "two")) == ["e2 n"])
    }

    /// A key never gets a name that its patterns do not match, so it never runs a model that they do not allow.
    @Test func patternsMatchAnyNameOfAModel() {
        var row = Self.row(1, ["acme-coder", "q:latest", "r:latest"], kind: .ollama)
        row.models?[0].aliases = ["fim", "shared"]
        var other = Self.row(2, ["secret"], kind: .llamacpp)
        other.models?[0].aliases = ["shared"]
        var viewed = Viewed(Self.fleet(row, other, Self.row(3, ["r"])))
        let view = viewed.view()
        for (pattern, name, allowed) in [
            ("fim", "fim", "fim"), ("fim", "acme-coder", "fim"), ("acme-*", "fim", "acme-coder"),
            ("acme-*", "acme-coder", "acme-coder"), ("q", "q", "q"), ("q", "q:latest", "q"), ("q:*", "q", "q:latest"),
            // The alias leads to two models.
            ("shared", "acme-coder", nil), ("shared", "secret", nil), ("acme-*", "shared", nil),
            // `r` is another model.
            ("r", "r:latest", nil), ("r:*", "r", nil),
            ("fim", "secret", nil), ("fim", "nothing", nil), ("q", "fim", nil),
        ] as [(String, String, String?)] {
            #expect(view.name(name, allowedBy: ModelPatterns([pattern])) == allowed, "\(pattern) \(name)")
        }
        #expect(
            view.list(of: ModelPatterns(["fim", "q", "r"])).models.models.map(\.id.value) == [
                "acme-coder", "q:latest", "r",
            ])
    }

    @Test func aRegistrationNamesTheUsableEndpointsOfItsModels() {
        var viewed = Viewed(
            [Sample.registered("Org/X", quantization: "Q4", files: ["f/x-q4.gguf"], revision: 50)]
                + Self.fleet(
                    Self.row(1, ["x", "ORG/x:q4"]), Self.row(2, ["/models/X-Q4.gguf"]), Self.row(3, ["org/x"]),
                    Self.row(4, ["org/x"], state: .offline), Self.row(5, ["X"], state: .degraded),
                    Self.row(6, ["org/x:q8"])))
        var view = viewed.view()
        // The id that names the registration best, and each endpoint once; the exact id first, in any state.
        let expected = ["e3 org/x", "e4 org/x", "e1 ORG/x:q4", "e2 /models/X-Q4.gguf", "e5 X"]
        #expect(Self.names(view.holders(of: "org/x")) == expected)
        #expect(view.holders(of: "org/x").isRegistered)
        #expect(Self.names(view.holders(of: "ORG/X")) == ["e1 ORG/x:q4", "e3 org/x", "e2 /models/X-Q4.gguf", "e5 X"])
        #expect(view.holders(of: "ORG/X").isRegistered)
        for other in ["org/y", "org/", "org/xx", "x"] { #expect(!view.holders(of: other).isRegistered) }
        view = viewed.view(after: Sample.batch(Self.row(1, tick: 2, ["x"]), Self.row(6, tick: 2, ["org/x:Q4"])))
        #expect(Self.names(view.holders(of: "ORG/X")).prefix(3) == ["e3 org/x", "e6 org/x:Q4", "e2 /models/X-Q4.gguf"])
        let gone = RegistryChange(tombstoneOf: .registration, id: "org/x", revision: 60)
        view = viewed.view(after: .registryChanged(gone), Sample.registered("a/b", revision: 61))
        #expect(!view.holders(of: "org/x").isRegistered)
        #expect(Self.names(view.holders(of: "org/x")) == ["e3 org/x", "e4 org/x"])
        #expect(view.holders(of: "A/B").isRegistered && view.holders(of: "A/B").holders.isEmpty)
    }

    @Test func keysAreThereUntilTheyAreRevoked() {
        var viewed = Viewed([Sample.made(1, models: ["a*"], revision: 1), Sample.made(2, revision: 2)])
        var view = viewed.view()
        let digests = (1...3).map { Sample.key($0, revision: 1).digest }
        #expect(view.key(digest: digests[0])?.record == Sample.key(1, models: ["a*"], revision: 1))
        #expect(view.key(digest: digests[0])?.models == ModelPatterns(["a*"]))
        #expect(view.key(digest: digests[1]) != nil && view.key(digest: digests[1])?.models == nil)
        let former = view
        view = viewed.view(after: Sample.revoked(1, revision: 3), Sample.made(3, revision: 4))
        #expect(digests.map { view.key(digest: $0) != nil } == [false, true, true])
        #expect(digests.map { former.key(digest: $0) != nil } == [true, true, false])
    }

    @Test func aRestrictedListIsThatOfTheCatalog() {
        var viewed = Viewed(Self.fleet(Self.row(1, ["a/x", "a/y", "b"]), Self.row(2, ["a/z"], state: .offline)))
        let view = viewed.view()
        for patterns in [["a/*"], ["B"], ["none"], ["*"], []] {
            let part = view.list(of: ModelPatterns(patterns))
            let same = viewed.catalog.modelList(of: ModelPatterns(patterns))
            #expect(part.list == same.list)
            #expect(part.models.models.map(\.id) == same.models.models.map(\.id))
        }
    }

    @Test func itSaysHowOldTheCatalogIs() {
        let now = ContinuousClock.now
        var viewed = Viewed([])
        #expect(viewed.view().age(at: now) == nil)
        let view = viewed.builder.view(
            of: &viewed.catalog, readiness: Self.readiness, knownCurrent: now - .seconds(3))
        #expect(view.age(at: now) == .seconds(3) && view.age(at: now - .seconds(9)) == .zero)
        #expect(view.readiness == Self.readiness)
    }

    @Test func whatDidNotChangeIsTheSameObject() throws {
        var viewed = Viewed(
            [Sample.registered("org/x", revision: 50), Sample.made(1, revision: 51)]
                + Self.fleet(Self.row(1, ["m", "org/x"]), Self.row(2, ["m"])))
        let first = viewed.view(after: Sample.checkpoint([(1, 1), (2, 2)], revision: 2))
        // A poll that found nothing new.
        let second = viewed.view(after: Sample.batch(Self.row(1, tick: 2, nil), Self.row(2, tick: 2, nil)))
        #expect(second.models === first.models && second.endpoints === first.endpoints)
        #expect(second.keys === first.keys && second.registrations === first.registrations)
        #expect(second.version != nil)
        // The same list polled again, in another order.
        let third = viewed.view(after: Sample.batch(Self.row(1, tick: 3, ["org/x", "m"])))
        #expect(third.models === first.models && third.registrations === first.registrations)
        #expect(third.endpoints === first.endpoints)
        // Lines that were encoded again and came out the same.
        let back = viewed.view(
            after: Sample.batch(Self.row(1, tick: 4, nil, state: .offline)), Sample.batch(Self.row(1, tick: 5, nil)))
        #expect(back.models === first.models && back.endpoints === first.endpoints)
        // Degraded is as good as online for the list, not for the endpoint.
        let fourth = viewed.view(after: Sample.batch(Self.row(2, tick: 3, nil, state: .degraded)))
        #expect(fourth.models === first.models && fourth.registrations === first.registrations)
        let (old, new) = (first.holders(of: "m").holders, fourth.holders(of: "m").holders)
        #expect(old[0].endpoint === new[0].endpoint)
        #expect(old[1].endpoint !== new[1].endpoint && new[1].endpoint.state == .degraded)
        #expect(old[1].endpoint.state == .online)
        // A line more: the others stay, and so does the registration.
        let fifth = viewed.view(after: Sample.batch(Self.row(2, tick: 4, ["m", "n"], state: .degraded)))
        #expect(fifth.models.find("m") === first.models.find("m") && fifth.models.find("n") != nil)
        #expect(fifth.registrations === first.registrations && fifth.endpoints === fourth.endpoints)
        #expect(fifth.keys === first.keys)
        let sixth = viewed.view(after: Sample.made(2, revision: 52))
        #expect(sixth.keys !== first.keys && sixth.models === fifth.models && sixth.endpoints === fifth.endpoints)
        // A model that only an offline endpoint has changes no byte of the list: it is not joined anew.
        let offline = viewed.view(after: Sample.batch(Self.row(2, tick: 5, ["m", "n"], state: .offline)))
        let listed = viewed.view(after: Sample.batch(Self.row(2, tick: 6, ["m", "n", "o"], state: .offline)))
        #expect(listed.models !== offline.models && listed.list == offline.list)
        #expect(Self.names(listed.holders(of: "o")) == ["e2 o"] && listed.entry("o") == nil)
    }

    /// While a rename is half seen.
    @Test func twoEndpointsOfOneNameAreTwo() {
        var viewed = Viewed([
            Sample.created(1, name: "e", revision: 1), Sample.created(2, name: "e", revision: 2),
            Sample.batch(Self.row(1, ["m"]), Self.row(2, ["m"])),
        ])
        let first = viewed.view()
        #expect(first.holders(of: "m").holders.map(\.endpoint.record.id) == [Sample.id(1), Sample.id(2)])
        for number in [1, 2] {
            let again = viewed.view(after: Sample.batch(Self.row(number, tick: 2, ["m", "n\(number)"])))
            #expect(again.models.find("m") === first.models.find("m"))
        }
        let left = viewed.view(after: Sample.batch(Self.row(1, tick: 3, ["n1"])))
        #expect(left.holders(of: "m").holders.map(\.endpoint.record.id) == [Sample.id(2)])
        #expect(viewed.view(after: Sample.batch(Self.row(2, tick: 3, []))).holders(of: "m").holders.isEmpty)
    }

    @Test func anEndpointIsPendingUntilItsGenerationIsPolled() {
        var viewed = Viewed(Self.fleet(Self.row(1, ["m"])))
        let old = viewed.view()
        var row = Self.row(1, tick: 2, ["m"])
        row.generation = 7
        var view = viewed.view(after: Sample.batch(row))
        #expect(view.endpoints.slots.map { $0?.state } == [.pending] && view.endpoints.slots[0]?.kind == nil)
        #expect(view.holders(of: "m").holders.isEmpty && view.entry("m") == nil && old.entry("m") != nil)
        view = viewed.view(after: Sample.created(1, revision: 7))
        #expect(Self.names(view.holders(of: "m")) == ["e1 m"] && view.endpoints.slots[0]?.state == .online)
    }

    /// As after a stream was made anew.
    @Test func anotherCatalogsEndpointsKeepTheirObjectsIfTheyAreTheSame() {
        let log = Self.fleet(Self.row(1, ["m"]), Self.row(2, ["m"]))
        var viewed = Viewed(log)
        let old = viewed.view().holders(of: "m").holders
        viewed.catalog = Catalog(log.reversed())
        let new = viewed.view(after: Sample.batch(Self.row(2, tick: 2, nil, state: .offline))).holders(of: "m").holders
        #expect(old[0].endpoint === new[0].endpoint)
        #expect(old[1].endpoint !== new[1].endpoint && new[1].endpoint.state == .offline)
    }
}
