import Testing

@testable import Gateway

/// A candidate whose endpoint is nothing but an id.
struct PlainCandidate: EndpointCandidate, Hashable {
    var id: String
    var isDegraded = false
    var maximum: Int?
    var weight = 10
}

/// A chooser, the time, and chance.
struct ChooserBench {
    typealias Candidate = PlainCandidate

    var chooser = EndpointChooser()
    var now = ContinuousClock.now
    var generator = SmallGenerator(state: 3)
    /// Of the last choice.
    var last: EndpointChooser.Grant?

    /// A grant, if there is one.
    mutating func grant(
        _ candidates: [Candidate], sticky: UInt64? = nil, excluding: [String] = []
    ) -> EndpointChooser.Grant? {
        let choice = chooser.choose(
            among: candidates, sticky: sticky, excluding: excluding, now: now, using: &generator)
        if case .chosen(let grant) = choice { last = grant } else { last = nil }
        return last
    }

    /// The id that is chosen, "full", or nil if there is no candidate.
    mutating func choose(_ candidates: [Candidate], sticky: UInt64? = nil, excluding: [String] = []) -> String? {
        let choice = chooser.choose(
            among: candidates, sticky: sticky, excluding: excluding, now: now, using: &generator)
        last = nil
        switch choice {
        case .chosen(let grant):
            last = grant
            return candidates[grant.index].id
        case .full: return "full"
        case .none: return nil
        }
    }

    /// As `choose`, for a request that ends at once.
    mutating func pass(
        _ candidates: [Candidate], sticky: UInt64? = nil, _ result: AnswerResult = .unknown
    ) -> String? {
        guard let grant = grant(candidates, sticky: sticky) else { return nil }
        chooser.release(grant, result, now: now)
        return candidates[grant.index].id
    }

    /// One request to `id` ends so.
    mutating func end(_ id: String, _ results: AnswerResult...) {
        for result in results { _ = pass([Candidate(id: id)], result) }
    }

    mutating func observe(_ id: String, _ firstByte: Duration) {
        guard let grant = grant([Candidate(id: id)]) else { return }
        chooser.began(grant, firstByte: firstByte, now: now)
        chooser.release(grant, .succeeded, now: now)
    }

    /// How often each is chosen in `rounds`, each place given back at once.
    func shares(_ candidates: [Candidate], rounds: Int = 300, after: Duration = .zero) -> [String: Int] {
        var copy = self
        copy.now += after
        var shares: [String: Int] = [:]
        for _ in 0..<rounds {
            if let id = copy.pass(candidates) { shares[id, default: 0] += 1 }
        }
        return shares
    }
}

@Suite struct EndpointChooserTests {
    typealias Candidate = PlainCandidate

    private var bench = ChooserBench()

    struct RankCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let candidates: [Candidate]
        var suspects: [String] = []
        var tripped: [String] = []
        let expected: Set<String>
    }

    static let ranks = [
        RankCase(testDescription: "none", candidates: [], expected: []),
        RankCase(
            testDescription: "all alike", candidates: [Candidate(id: "a"), Candidate(id: "b")], expected: ["a", "b"]),
        RankCase(
            testDescription: "online before degraded",
            candidates: [Candidate(id: "a", isDegraded: true), Candidate(id: "b")], expected: ["b"]),
        RankCase(
            testDescription: "degraded if there is no other",
            candidates: [Candidate(id: "a", isDegraded: true)], expected: ["a"]),
        RankCase(
            testDescription: "degraded before suspects",
            candidates: [Candidate(id: "a", isDegraded: true), Candidate(id: "b")], suspects: ["b"], expected: ["a"]),
        RankCase(
            testDescription: "degraded before tripped",
            candidates: [Candidate(id: "a", isDegraded: true), Candidate(id: "b")], tripped: ["b"], expected: ["a"]),
        RankCase(
            testDescription: "tripped before suspects",
            candidates: [Candidate(id: "a"), Candidate(id: "b")], suspects: ["a"], tripped: ["b"], expected: ["b"]),
        RankCase(
            testDescription: "tripped if there is no other",
            candidates: [Candidate(id: "a"), Candidate(id: "b")], tripped: ["a", "b"], expected: ["a", "b"]),
        RankCase(
            testDescription: "suspects if there is no other",
            candidates: [Candidate(id: "a"), Candidate(id: "b")], suspects: ["a", "b"], expected: ["a", "b"]),
        RankCase(
            testDescription: "a full one is waited for, not gone round",
            candidates: [Candidate(id: "a", maximum: 0), Candidate(id: "b", isDegraded: true)], expected: ["full"]),
        RankCase(
            testDescription: "full ones are passed over",
            candidates: [Candidate(id: "a", maximum: 0), Candidate(id: "b", maximum: 1)], expected: ["b"]),
    ]

    @Test(arguments: ranks) func ranksComeFirst(_ expected: RankCase) {
        var bench = bench
        for id in expected.suspects { bench.chooser.suspect(id, now: bench.now) }
        for id in expected.tripped { bench.end(id, .failed, .failed, .failed) }
        // Refusals no longer count, and no trial is due yet.
        bench.now += .seconds(4)
        var chosen: Set<String> = []
        for key in UInt64(0)..<300 {
            let sticky = key < 150 ? nil : key
            guard let id = bench.choose(expected.candidates, sticky: sticky) else { continue }
            chosen.insert(id)
            if let grant = bench.last { bench.chooser.release(grant, .unknown, now: bench.now) }
        }
        #expect(chosen == expected.expected)
    }

    @Test func excludedOnesAreOutOfQuestion() {
        var bench = bench
        let candidates = [Candidate(id: "a"), Candidate(id: "b", isDegraded: true)]
        #expect(bench.choose(candidates, excluding: ["a"]) == "b")
        #expect(bench.choose(candidates, sticky: 1, excluding: ["a"]) == "b")
        #expect(bench.choose(candidates, excluding: ["b", "a"]) == nil)
    }

    @Test func fewestInFlightWins() {
        var bench = bench
        let candidates = (0..<4).map { Candidate(id: "e\($0)") }
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[bench.choose(candidates)!, default: 0] += 1 }
        #expect(counts.values.allSatisfy { $0 == 10 }, "\(counts)")
    }

    @Test func weightsShareTheLoad() {
        var bench = bench
        let candidates = [Candidate(id: "small", weight: 5), Candidate(id: "large", weight: 20)]
        var counts: [String: Int] = [:]
        for _ in 0..<50 { counts[bench.choose(candidates)!, default: 0] += 1 }
        #expect(counts["large"] == 40, "\(counts)")
        // A weight of nothing would be a division by nothing.
        #expect(bench.choose([Candidate(id: "x", weight: 0)]) == "x")
    }

    @Test func tiesAreLeftToChance() {
        let shares = bench.shares((0..<3).map { Candidate(id: "e\($0)") })
        #expect(shares.count == 3 && shares.values.allSatisfy { $0 > 60 }, "\(shares)")
    }

    @Test func fasterOnesGetMore() {
        var bench = bench
        let candidates = [Candidate(id: "fast"), Candidate(id: "slow")]
        bench.observe("fast", .milliseconds(100))
        bench.observe("slow", .milliseconds(300))
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[bench.choose(candidates)!, default: 0] += 1 }
        #expect(counts["fast"]! >= 27 && counts["slow"]! >= 8, "\(counts)")
    }

    @Test(arguments: [
        (Duration.milliseconds(1), Duration.milliseconds(26), true), (.milliseconds(1), .milliseconds(27), false),
        (.milliseconds(1000), .milliseconds(1250), true), (.milliseconds(1000), .milliseconds(1260), false),
    ])
    func nearlyEqualTimesAreEqual(fast: Duration, slow: Duration, areEqual: Bool) {
        var bench = bench
        bench.observe("fast", fast)
        bench.observe("slow", slow)
        let shares = bench.shares([Candidate(id: "fast"), Candidate(id: "slow")])
        // One request after another: equal servers share them, and a slower one gets none.
        #expect(areEqual ? shares["slow"] ?? 0 > 100 : shares["slow"] == nil, "\(shares)")
    }

    @Test func newOnesAreTriedAndSlowOnesAgain() {
        var bench = bench
        bench.observe("known", .milliseconds(10))
        let pair = [Candidate(id: "known"), Candidate(id: "new")]
        #expect(bench.shares(pair)["new"] ?? 0 > 60)
        bench.observe("new", .seconds(60))
        #expect(bench.shares(pair)["new"] == nil)
        #expect(bench.shares(pair, after: .seconds(2 * EndpointChooser.halfTime))["new"] ?? 0 > 60)
    }

    @Test func theAverageFollows() {
        var bench = bench
        bench.observe("a", .seconds(10))
        for _ in 0..<30 { bench.observe("a", .milliseconds(10)) }
        bench.observe("b", .milliseconds(300))
        #expect(bench.shares([Candidate(id: "a"), Candidate(id: "b")])["b"] == nil)
    }

    @Test func sticky() {
        var bench = bench
        let candidates = (0..<5).map { Candidate(id: "e\($0)") }
        var homes: [UInt64: String] = [:]
        for key in UInt64(0)..<200 {
            let home = bench.pass(candidates, sticky: key)!
            homes[key] = home
            // Wherever it stands in the list, and on another gateway.
            var other = ChooserBench()
            #expect(other.choose(candidates.reversed(), sticky: key) == home)
        }
        #expect(Dictionary(grouping: homes.values, by: \.self).values.allSatisfy { (20...65).contains($0.count) })
        // One that goes moves only its own.
        for (key, home) in homes {
            let moved = bench.pass(candidates.filter { $0.id != "e0" }, sticky: key)!
            #expect(home == "e0" || moved == home)
        }
        // A suspect, a tripped one, and a full one do not keep what they had.
        bench.chooser.suspect("e1", now: bench.now)
        bench.end("e2", .failed, .failed, .failed)
        bench.end("e3", .full(.seconds(5)))
        for (key, home) in homes {
            let moved = bench.pass(candidates, sticky: key)
            #expect(["e1", "e2", "e3"].contains(home) ? ["e0", "e4"].contains(moved) : moved == home)
        }
    }

    @Test func stickyDoesNotPileUp() {
        var bench = bench
        let candidates = (0..<4).map { Candidate(id: "e\($0)") }
        var counts: [String: Int] = [:]
        for _ in 0..<80 { counts[bench.choose(candidates, sticky: 1)!, default: 0] += 1 }
        #expect(counts.values.max()! <= 31, "\(counts)")
        #expect(counts.values.max()! > 20, "\(counts)")
    }

    /// A conversation's own endpoint keeps no more than its weight lets it.
    @Test func stickyHeedsWeights() {
        for key in UInt64(0)..<20 {
            var bench = bench
            let candidates = [Candidate(id: "small", weight: 1), Candidate(id: "large", weight: 9)]
            var counts: [String: Int] = [:]
            for _ in 0..<100 { counts[bench.choose(candidates, sticky: key)!, default: 0] += 1 }
            #expect(counts["small"] ?? 0 <= 16, "\(counts)")
        }
    }

    @Test func placesAreCounted() {
        var bench = bench
        let candidates = [Candidate(id: "a", maximum: 2)]
        let grants = (0..<2).map { _ in bench.grant(candidates)! }
        #expect(bench.choose(candidates) == "full")
        bench.chooser.forget("a")
        #expect(bench.chooser.inFlight("a") == 2, "what is in flight is counted until it ends")
        bench.chooser.release(grants[0], .unknown, now: bench.now)
        let again = bench.grant(candidates)!
        for grant in [grants[1], again] { bench.chooser.release(grant, .unknown, now: bench.now) }
        #expect(bench.chooser.inFlight("a") == 0)
    }

    @Test func trust() {
        var bench = bench
        let before = bench.chooser.trust("a")
        bench.chooser.suspect("a", now: bench.now)
        let isSuspect = bench.chooser.isSuspect("a")
        let after = bench.chooser.trust("a")
        #expect(!before && isSuspect && after && !bench.chooser.isSuspect("a"))
    }

    @Test func fullForAWhile() {
        var bench = bench
        let pair = [Candidate(id: "a"), Candidate(id: "b", isDegraded: true)]
        bench.end("a", .full(.seconds(5)))
        bench.now += .milliseconds(4999)
        #expect(bench.choose(pair) == "full")
        // A shorter time that is told later does not shorten the longer one.
        let grants = [bench.now, bench.now].map { _ in bench.grant([Candidate(id: "c")])! }
        bench.chooser.release(grants[0], .full(.seconds(5)), now: bench.now)
        bench.chooser.release(grants[1], .full(.seconds(1)), now: bench.now)
        bench.now += .seconds(2)
        #expect(bench.choose([Candidate(id: "c")]) == "full")
        #expect(bench.choose(pair) == "a")
    }

    /// Endpoints come and go for ever; what is kept of them does not grow.
    @Test func oldLoadsAreDropped() {
        var bench = bench
        for number in 0..<5000 {
            let id = "e\(number)"
            bench.observe(id, .milliseconds(5))
            bench.chooser.suspect(id, now: bench.now)
            if number % 2 == 0 { bench.chooser.forget(id) }
            bench.now += .seconds(10)
        }
        #expect(bench.chooser.count <= 150 && bench.chooser.loads.count <= 150, "\(bench.chooser.count)")
        // One in flight is never dropped.
        let held = bench.grant([Candidate(id: "held")])!
        bench.now += .seconds(10_000)
        for number in 0..<1000 { bench.observe("x\(number)", .milliseconds(5)) }
        #expect(bench.chooser.inFlight("held") == 1)
        bench.chooser.release(held, .succeeded, now: bench.now)
        #expect(bench.chooser.inFlight("held") == 0)
    }
}
