import Catalog
import Testing

@testable import Poller

struct SnapshotRulesTests {
    static let now: Int64 = 1_800_000_000_000
    static let failure = Result<EndpointPoll.Outcome, PollError>.failure(
        PollError(.transport("connect_failed"), "refused"))

    static let timeout = Result<EndpointPoll.Outcome, PollError>.failure(PollError(.transport("timeout"), "no answer"))

    func rules(_ poller: String = "p1", several: Bool = false) -> SnapshotRules {
        SnapshotRules(poller: poller, severalPollers: several, wallMilliseconds: Self.now)
    }

    func found(_ models: ModelEntry...) -> Result<EndpointPoll.Outcome, PollError> {
        .success(EndpointPoll.Outcome(kind: .openai, models: models, latencyMilliseconds: 7))
    }

    func item(_ base: SnapshotRow?, tick: Int64 = 9, generation: Int64 = 1) -> PollItem {
        PollItem(endpoint: Samples.endpoint("e", generation: generation), tick: tick, base: base)
    }

    /// What is held after `row`, as the next job carries it.
    func base(_ row: SnapshotRow, holding models: [ModelEntry]) -> SnapshotRow {
        var base = row
        base.models = row.models ?? models
        return base
    }

    @Test func theFirstSuccessIsFull() {
        let row = rules().row(for: item(nil), found(Samples.model("a")))
        #expect(row.state == .online)
        #expect(row.kind == .openai)
        #expect(row.models == [Samples.model("a", firstSeen: Self.now / 1000)])
        #expect(row.digest == ModelEntry.digest(of: [Samples.model("a")]))
        #expect(row.baseDigest == nil)
        #expect(row.lastOKAt == Self.now)
        #expect(row.latencyMilliseconds == 7)
        #expect(row.tick == 9)
        #expect(SnapshotRules.isChange(row, from: nil))
    }

    @Test func whatDidNotChangeIsLeftOut() {
        let first = rules().row(for: item(nil), found(Samples.model("a")))
        let held = base(first, holding: [])
        let row = rules().row(for: item(held), found(Samples.model("a")))
        #expect(row.models == nil)
        #expect(row.digest == row.baseDigest)
        #expect(!SnapshotRules.isChange(row, from: held))
    }

    @Test func modelsKeepTheTimeTheyWereFirstSeen() {
        var held = Samples.row("e", tick: 1)
        held.digest = "x"
        held.models = [Samples.model("a", firstSeen: 5)]
        let row = rules().row(for: item(held), found(Samples.model("a"), Samples.model("b")))
        #expect(row.models?.map(\.firstSeen) == [5, Self.now / 1000])
        // Also where the list is to be sent in full because what is held is out of step.
        held.digest = nil
        #expect(rules().row(for: item(held), found(Samples.model("a"))).models?.map(\.firstSeen) == [5])
    }

    @Test func anotherGenerationIsAnotherServer() {
        var held = Samples.row("e", tick: 1, state: .offline, failures: 7)
        held.models = [Samples.model("a", firstSeen: 5)]
        held.digest = "x"
        let row = rules().row(for: item(held, generation: 2), Self.failure)
        #expect(row.failures == 1)
        #expect(row.baseDigest == nil)
        #expect(row.generation == 2)
    }

    /// One poller: offline at the second failure. Several: two of them, or three failures.
    @Test(arguments: [
        (["p1", "p1"], false, EndpointState.offline), (["p1", "p1"], true, .degraded), (["p1", "p2"], true, .offline),
        (["p1", "p1", "p1"], true, .offline), (["p1"], false, .degraded), (["p1"], true, .degraded),
    ])
    func failuresAreConfirmed(_ pollers: [String], _ several: Bool, _ expected: EndpointState) {
        var held = Samples.row("e", tick: 1)
        held.digest = "x"
        held.lastOKAt = 77
        held.kind = .vllm
        for poller in pollers {
            held = base(rules(poller, several: several).row(for: item(held), Self.failure), holding: [])
        }
        #expect(held.state == expected)
        #expect(held.failures == pollers.count)
        #expect(held.failedBy == Array(Set(pollers)).sorted())
        #expect(held.digest == "x")
        #expect(held.lastOKAt == 77)
        #expect(held.kind == .vllm)
        #expect(held.error == PollFailure(code: "connect_failed", message: "refused"))
        let back = rules().row(for: item(held), found(Samples.model("a")))
        #expect((back.state, back.failures, back.failedBy, back.error) == (.online, 0, [], nil))
    }

    /// No answer in time: three polls, by two pollers where there are several, or six.
    @Test(arguments: [
        (["p1", "p1"], false, EndpointState.degraded), (["p1", "p1", "p1"], false, .offline),
        (["p1", "p2"], true, .degraded), (["p1", "p2", "p1"], true, .offline), (["p1", "p1", "p1"], true, .degraded),
        (Array(repeating: "p1", count: 5), true, .degraded), (Array(repeating: "p1", count: 6), true, .offline),
    ])
    func timeoutsAreWeakEvidence(_ pollers: [String], _ several: Bool, _ expected: EndpointState) {
        var held = Samples.row("e", tick: 1)
        for poller in pollers {
            held = base(rules(poller, several: several).row(for: item(held), Self.timeout), holding: [])
        }
        #expect(held.state == expected)
        #expect(held.failures == pollers.count)
        // Once offline, it stays so. A refused connection is strong evidence, whatever came before.
        if expected == .offline { #expect(rules().row(for: item(held), Self.timeout).state == .offline) }
        #expect(rules("p3", several: several).row(for: item(held), Self.failure).state == .offline)
    }

    @Test func aBusyEndpointIsNotDead() {
        var held = Samples.row("e", tick: 1)
        for _ in 1...20 {
            var rules = rules()
            rules.isAlive = true
            held = base(rules.row(for: item(held), Self.timeout), holding: [])
            #expect(held.state == .degraded && held.failures == 1)
        }
        // From the first poll on that no gateway contradicts, three count.
        held = base(rules().row(for: item(held), Self.timeout), holding: [])
        #expect(held.state == .degraded && held.failures == 2)
        #expect(rules().row(for: item(held), Self.timeout).state == .offline)
        // It refuses connections: what a gateway saw is over.
        var alive = rules()
        alive.isAlive = true
        #expect(alive.row(for: item(held), Self.failure).state == .offline)
    }

    @Test func anEndpointThatIsAwayForYearsKeepsAShortRow() {
        var held = Samples.row("e", tick: 1, state: .offline, failures: 1)
        for number in 0..<2000 { held = rules("p\(number)").row(for: item(held), Self.failure) }
        #expect(held.state == .offline && held.failures == 1000)
        #expect(held.failedBy == (1992..<2000).map { "p\($0)" })
    }

    @Test func anEmptyListIsConfirmedToo() {
        let models = [Samples.model("a")]
        var held = base(rules().row(for: item(nil), found(Samples.model("a"))), holding: [])
        let first = rules().row(for: item(held), found())
        #expect(first.state == .degraded)
        #expect(first.error?.code == "empty_list")
        #expect(first.digest == held.digest)
        #expect(first.models == nil)
        held = base(first, holding: models)
        let second = rules().row(for: item(held), found())
        #expect(second.state == .online)
        #expect(second.models == [])
        #expect(second.error == nil)
        // Confirmed by the same poller only after the third, where there are several.
        let several = rules(several: true).row(for: item(held), found())
        #expect(several.state == .degraded)
        held = base(several, holding: models)
        #expect(rules(several: true).row(for: item(held), found()).models == [])
    }

    @Test func anEmptyListAfterOtherFailuresBeginsAnew() {
        var held = Samples.row("e", tick: 1, state: .offline, failures: 5)
        held.models = [Samples.model("a")]
        held.error = PollFailure(code: "timeout", message: "")
        let row = rules().row(for: item(held), found())
        #expect((row.state, row.failures) == (.degraded, 1))
    }

    @Test func anEmptyListWhereThereWasNoneIsAccepted() {
        let first = rules().row(for: item(nil), found())
        #expect(first.state == .online)
        #expect(first.models == [])
        #expect(rules().row(for: item(base(first, holding: [])), found()).state == .online)
    }

    @Test func theDigestCoversWhatMeansSomething() {
        let model = ModelEntry(
            id: ModelID("a"), ownedBy: "o", contextLength: 1, quantization: "q", parameterCount: 2, architecture: "r",
            loaded: true, contentDigest: "s", sizeBytes: 5, firstSeen: 3)
        let digest = ModelEntry.digest(of: [model])
        #expect(digest.utf8.count == 32)
        var later = model
        later.firstSeen = 4
        #expect(ModelEntry.digest(of: [later]) == digest)
        let changes: [(inout ModelEntry) -> Void] = [
            { $0.id = ModelID("A") }, { $0.ownedBy = nil }, { $0.ownedBy = "" }, { $0.contextLength = 2 },
            { $0.quantization = nil }, { $0.parameterCount = nil }, { $0.architecture = "R" }, { $0.loaded = false },
            { $0.loaded = nil }, { $0.contentDigest = "t" }, { $0.sizeBytes = nil },
            // The same text, cut elsewhere.
            {
                $0.quantization = "q1"
                $0.contextLength = nil
            },
        ]
        var digests: Set<String> = [digest]
        for change in changes {
            var other = model
            change(&other)
            digests.insert(ModelEntry.digest(of: [other]))
        }
        #expect(digests.count == changes.count + 1)
        let pair = [Samples.model("a"), Samples.model("b")]
        #expect(ModelEntry.digest(of: pair) == ModelEntry.digest(of: pair.reversed()))
        // Two ids that Unicode holds for equal.
        #expect(ModelEntry.digest(of: [Samples.model("\u{E9}")]) != ModelEntry.digest(of: [Samples.model("e\u{301}")]))
    }
}
