import Testing

@testable import Gateway

/// The breaker by itself, and what the chooser makes of it.
@Suite struct EndpointBreakerTests {
    typealias Candidate = PlainCandidate

    private func tripped(at now: Double = 0) -> EndpointBreaker {
        var breaker = EndpointBreaker()
        for _ in 0..<3 { breaker.failed(breaker.pass(at: now), at: now) }
        return breaker
    }

    /// `.` is a success, `x` a failure, one each `every` seconds.
    @Test(arguments: [
        ("xx", 1.0, false), ("xxx", 1, true), ("xx.xx.", 100, false), ("xxx", 3600, true),
        // Half of at least six, and of the last twenty.
        (".x.x.", 1, false), (".x.x.x", 1, true), ("..........x.x.xx.xx", 1, false),
        ("..........x.x.xx.xx.xx.xx", 1, true),
        // Outcomes older than 30 s do not count.
        ("........xx.xx", 1, false), ("........xx.xx", 4, true), (".x.x.x.x.x.x", 10, false),
    ])
    func trips(outcomes: String, every: Double, expected: Bool) {
        var breaker = EndpointBreaker()
        for (number, outcome) in outcomes.enumerated() {
            let now = Double(number) * every
            let pass = breaker.pass(at: now)
            if outcome == "." { breaker.succeeded(pass, at: now) } else { breaker.failed(pass, at: now) }
        }
        #expect(breaker.isTripped == expected)
    }

    @Test func trialsComeLessAndLessOften() {
        var breaker = tripped()
        var now = 0.0
        for delay in [5.0, 10, 20, 40, 60, 60] {
            #expect(!breaker.isTrialDue(at: now + delay - 0.001))
            now += delay
            #expect(breaker.isTrialDue(at: now))
            let trial = breaker.pass(at: now)
            #expect(trial.trial > 0)
            #expect(!breaker.isTrialDue(at: now + 1000), "one at a time")
            #expect(breaker.pass(at: now).trial == 0)
            breaker.failed(trial, at: now)
        }
        now += 60
        breaker.succeeded(breaker.pass(at: now), at: now)
        #expect(!breaker.isTripped)
        // From the beginning.
        for _ in 0..<2 { breaker.failed(breaker.pass(at: now), at: now) }
        #expect(!breaker.isTripped)
        for _ in 0..<1 { breaker.failed(breaker.pass(at: now), at: now) }
        #expect(breaker.isTripped && breaker.isTrialDue(at: now + 5))
    }

    @Test func whatWasSentBeforeTheTripCountsNoLonger() {
        var breaker = EndpointBreaker()
        let old = breaker.pass(at: 0)
        for _ in 0..<3 { breaker.failed(breaker.pass(at: 0), at: 0) }
        breaker.succeeded(old, at: 1)
        #expect(breaker.isTripped)
        breaker.failed(old, at: 4)
        #expect(breaker.isTrialDue(at: 5))
        // A failure of one that was sent since, as there was no other endpoint, does not put the trial off.
        breaker.failed(breaker.pass(at: 2), at: 4)
        #expect(breaker.isTrialDue(at: 5))
        // Its success counts.
        breaker.succeeded(breaker.pass(at: 2), at: 3)
        #expect(!breaker.isTripped)
    }

    @Test func aTrialWithoutAnOutcomeIsRepeated() {
        var breaker = tripped()
        breaker.left(breaker.pass(at: 5), at: 7)
        #expect(!breaker.isTrialDue(at: 11.9) && breaker.isTrialDue(at: 12))
        // A stream that has begun does not keep others from being tried, and closes the breaker when it ends well.
        let stream = breaker.pass(at: 12)
        breaker.began(stream, at: 13)
        #expect(breaker.isTripped && !breaker.isTrialDue(at: 17.9) && breaker.isTrialDue(at: 18))
        let second = breaker.pass(at: 18)
        #expect(second.trial > stream.trial)
        breaker.left(stream, at: 19)
        #expect(!breaker.isTrialDue(at: 100), "the second one is in flight")
        breaker.succeeded(stream, at: 20)
        #expect(!breaker.isTripped)
    }

    // MARK: In the chooser

    private let pair = [Candidate(id: "good"), Candidate(id: "bad")]

    private func brokenBench() -> ChooserBench {
        var bench = ChooserBench()
        bench.end("bad", .failed, .failed, .failed)
        return bench
    }

    @Test(arguments: [nil, 1, 2, 3] as [UInt64?]) func aTrialIsSentBesideAHealthyEndpoint(sticky: UInt64?) {
        var bench = brokenBench()
        bench.now += .seconds(4.9)
        #expect((0..<50).allSatisfy { _ in bench.pass(pair, sticky: sticky) == "good" })
        bench.now += .seconds(0.1)
        let trial = bench.grant(pair, sticky: sticky)!
        #expect(trial.index == 1)
        #expect((0..<50).allSatisfy { _ in bench.pass(pair, sticky: sticky) == "good" })
        bench.chooser.release(trial, .succeeded, now: bench.now)
        #expect(!bench.chooser.isTripped("bad"))
        #expect((0..<300).contains { _ in bench.pass(pair, sticky: sticky.map { _ in .random(in: 0...99) }) == "bad" })
    }

    @Test func aTrialNeedsRoomAndARequestThatHasNotFailedYet() {
        var bench = brokenBench()
        bench.now += .seconds(5)
        #expect(bench.choose([Candidate(id: "good"), Candidate(id: "bad", maximum: 0)]) == "good")
        let three = pair + [Candidate(id: "third")]
        #expect(bench.choose(three, excluding: ["third"]) == "good")
        bench.chooser.suspect("bad", now: bench.now)
        #expect(bench.choose(pair) == "good")
        _ = bench.chooser.trust("bad")
        // If there is no better one, a failed request may be the trial as well.
        #expect(bench.choose(three, excluding: ["good", "third"]) == "bad")
    }

    @Test func theLongestDueTrialIsFirst() {
        var bench = ChooserBench()
        bench.end("late", .failed, .failed)
        bench.end("early", .failed, .failed, .failed)
        bench.now += .seconds(1)
        bench.end("late", .failed)
        bench.now += .seconds(10)
        let all = [Candidate(id: "good"), Candidate(id: "late"), Candidate(id: "early")]
        #expect(bench.choose(all) == "early")
        #expect(bench.choose(all) == "late")
        #expect(bench.choose(all) == "good")
    }

    /// One endpoint refuses at once, the other takes its time: the first must not get all requests.
    @Test(arguments: [AnswerResult.refused, .failed, .full(.seconds(1))])
    func aFastFailureIsNoFastServer(_ result: AnswerResult) {
        var bench = ChooserBench()
        var asked = 0
        // Ten clients, each with one request in flight at the good one for 100 ms.
        var ends: [(at: ContinuousClock.Instant, grant: EndpointChooser.Grant)] = []
        var left = 100
        while left > 0 {
            if ends.count == 10 {
                let first = ends.removeFirst()
                bench.now = max(bench.now, first.at)
                bench.chooser.began(first.grant, firstByte: .milliseconds(100), now: bench.now)
                bench.chooser.release(first.grant, .succeeded, now: bench.now)
            }
            left -= 1
            let grant = bench.grant(pair)!
            if pair[grant.index].id == "good" {
                ends.append((bench.now + .milliseconds(100), grant))
            } else {
                asked += 1
                bench.chooser.release(grant, result, now: bench.now)
            }
        }
        #expect(asked < 30, "\(asked) of 100")
    }

    @Test func aRefusalOfARequestTripsNothing() {
        var bench = ChooserBench()
        for _ in 0..<50 { bench.end("bad", .refused, .unknown) }
        #expect(!bench.chooser.isTripped("bad"))
        bench.end("bad", .unreachable)
        #expect(bench.chooser.isSuspect("bad") && !bench.chooser.isTripped("bad"))
        bench.end("other", .full(.zero), .full(.zero), .full(.zero))
        #expect(bench.chooser.isTripped("other"))
    }
}
