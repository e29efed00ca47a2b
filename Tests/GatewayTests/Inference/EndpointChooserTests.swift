import Testing

@testable import Gateway

@Suite struct EndpointChooserTests {
    typealias Candidate = EndpointChooser.Candidate

    private let now = ContinuousClock.now

    private func choose(
        _ chooser: inout EndpointChooser, _ candidates: [Candidate], sticky: String? = nil, after: Duration = .zero,
        _ generator: inout SmallGenerator
    ) -> String? {
        switch chooser.choose(among: candidates, sticky: sticky, now: now + after, using: &generator) {
        case .chosen(let index): candidates[index].id
        case .full: "full"
        case .none: nil
        }
    }

    /// How often each is chosen in `rounds`, each place given back at once.
    private func shares(
        _ chooser: EndpointChooser, _ candidates: [Candidate], rounds: Int = 300, after: Duration = .zero
    ) -> [String: Int] {
        var chooser = chooser
        var generator = SmallGenerator(state: 7)
        var shares: [String: Int] = [:]
        for _ in 0..<rounds {
            guard let id = choose(&chooser, candidates, after: after, &generator) else { continue }
            shares[id, default: 0] += 1
            chooser.release(id)
        }
        return shares
    }

    struct RankCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let candidates: [Candidate]
        var suspects: [String] = []
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
            testDescription: "degraded where there is no other",
            candidates: [Candidate(id: "a", isDegraded: true)], expected: ["a"]),
        RankCase(
            testDescription: "degraded before suspects",
            candidates: [Candidate(id: "a", isDegraded: true), Candidate(id: "b")], suspects: ["b"], expected: ["a"]),
        RankCase(
            testDescription: "suspects where there is no other",
            candidates: [Candidate(id: "a"), Candidate(id: "b")], suspects: ["a", "b"], expected: ["a", "b"]),
        RankCase(
            testDescription: "a full one is waited for, not gone round",
            candidates: [Candidate(id: "a", maximum: 0), Candidate(id: "b", isDegraded: true)], expected: ["full"]),
        RankCase(
            testDescription: "full ones are passed over",
            candidates: [Candidate(id: "a", maximum: 0), Candidate(id: "b", maximum: 1)], expected: ["b"]),
    ]

    @Test(arguments: ranks) func ranksComeFirst(_ expected: RankCase) {
        var chooser = EndpointChooser()
        for id in expected.suspects { chooser.suspect(id) }
        #expect(Set(shares(chooser, expected.candidates).keys) == expected.expected)
        // Sticky or not.
        var generator = SmallGenerator(state: 1)
        for key in 0..<50 {
            let id = choose(&chooser, expected.candidates, sticky: "k\(key)", &generator)
            #expect(id.map { expected.expected.contains($0) } ?? expected.expected.isEmpty)
            if let id { chooser.release(id) }
        }
    }

    @Test func fewestInFlightWins() {
        var chooser = EndpointChooser()
        var generator = SmallGenerator(state: 3)
        let candidates = (0..<4).map { Candidate(id: "e\($0)") }
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[choose(&chooser, candidates, &generator)!, default: 0] += 1 }
        #expect(counts.values.allSatisfy { $0 == 10 }, "\(counts)")
    }

    @Test func tiesAreLeftToChance() {
        let shares = shares(EndpointChooser(), (0..<3).map { Candidate(id: "e\($0)") })
        #expect(shares.count == 3 && shares.values.allSatisfy { $0 > 60 }, "\(shares)")
    }

    @Test func fasterOnesGetMore() {
        var chooser = EndpointChooser()
        var generator = SmallGenerator(state: 3)
        let candidates = [Candidate(id: "fast"), Candidate(id: "slow")]
        chooser.observe("fast", firstByte: .milliseconds(100), now: now)
        chooser.observe("slow", firstByte: .milliseconds(300), now: now)
        var counts: [String: Int] = [:]
        for _ in 0..<40 { counts[choose(&chooser, candidates, &generator)!, default: 0] += 1 }
        #expect(counts["fast"]! >= 27 && counts["slow"]! >= 8, "\(counts)")
    }

    @Test func newOnesAreTriedAndSlowOnesAgain() {
        var chooser = EndpointChooser()
        chooser.observe("known", firstByte: .milliseconds(10), now: now)
        #expect(shares(chooser, [Candidate(id: "known"), Candidate(id: "new")])["new"] ?? 0 > 60)
        chooser.observe("new", firstByte: .seconds(60), now: now)
        let pair = [Candidate(id: "known"), Candidate(id: "new")]
        #expect(shares(chooser, pair)["new"] == nil)
        #expect(shares(chooser, pair, after: .seconds(2 * EndpointChooser.halfLife))["new"] ?? 0 > 60)
    }

    @Test func theAverageFollows() {
        var chooser = EndpointChooser()
        chooser.observe("a", firstByte: .seconds(10), now: now)
        for _ in 0..<30 { chooser.observe("a", firstByte: .milliseconds(10), now: now) }
        chooser.observe("b", firstByte: .milliseconds(300), now: now)
        #expect(shares(chooser, [Candidate(id: "a"), Candidate(id: "b")])["b"] == nil)
    }

    @Test func sticky() {
        var chooser = EndpointChooser()
        var generator = SmallGenerator(state: 3)
        let candidates = (0..<5).map { Candidate(id: "e\($0)") }
        var homes: [String: String] = [:]
        for key in 0..<200 {
            let home = choose(&chooser, candidates, sticky: "k\(key)", &generator)!
            chooser.release(home)
            homes["k\(key)"] = home
            // Wherever it stands in the list, and on another gateway.
            var other = EndpointChooser()
            let there = choose(&other, candidates.reversed(), sticky: "k\(key)", &generator)
            #expect(there == home)
        }
        #expect(Dictionary(grouping: homes.values, by: \.self).values.allSatisfy { (20...65).contains($0.count) })
        // One that goes moves only its own.
        for (key, home) in homes {
            let left = candidates.filter { $0.id != "e0" }
            let moved = choose(&chooser, left, sticky: key, &generator)!
            chooser.release(moved)
            #expect(home == "e0" || moved == home)
        }
        // A suspect does not keep what it had.
        chooser.suspect("e1")
        for (key, home) in homes where home == "e1" {
            let moved = choose(&chooser, candidates, sticky: key, &generator)!
            chooser.release(moved)
            #expect(moved != "e1")
        }
    }

    @Test func stickyDoesNotPileUp() {
        var chooser = EndpointChooser()
        var generator = SmallGenerator(state: 3)
        let candidates = (0..<4).map { Candidate(id: "e\($0)") }
        var counts: [String: Int] = [:]
        for _ in 0..<80 { counts[choose(&chooser, candidates, sticky: "one", &generator)!, default: 0] += 1 }
        #expect(counts.values.max()! <= 31, "\(counts)")
        #expect(counts.values.max()! > 20, "\(counts)")
    }

    @Test func placesAreCounted() {
        var chooser = EndpointChooser()
        var generator = SmallGenerator(state: 3)
        let candidates = [Candidate(id: "a", maximum: 2)]
        let chosen = (0..<3).map { _ in choose(&chooser, candidates, &generator) }
        #expect(chosen == ["a", "a", "full"])
        chooser.forget("a")
        #expect(chooser.inFlight("a") == 2, "what is in flight is counted until it ends")
        chooser.release("a")
        let again = choose(&chooser, candidates, &generator)
        #expect(again == "a")
        for _ in 0..<3 { chooser.release("a") }
        #expect(chooser.inFlight("a") == 0)
    }

    @Test func trust() {
        var chooser = EndpointChooser()
        let before = chooser.trust("a")
        chooser.suspect("a")
        let isSuspect = chooser.isSuspect("a")
        let after = chooser.trust("a")
        #expect(!before && isSuspect && after && !chooser.isSuspect("a"))
    }
}
