import Catalog
import Testing

@testable import Poller

struct ScheduleTests {
    static let ids = (0..<200).map { "endpoint-\($0)" }

    /// A scheduler with time in our hands. Every dispatch is answered after `latency`, unless `answer` gives nil.
    struct Simulation {
        var schedule = Schedule(settings: Schedule.Settings())
        var now = Duration.zero
        var tick: Int64 = 0
        var polls: [String: [Duration]] = [:]
        var pending: [(at: Duration, row: SnapshotRow)] = []
        var latency = Duration.milliseconds(300)
        var answer: (String, Int64) -> SnapshotRow? = { Samples.row($0, tick: $1) }

        /// Lets `duration` pass; ticks each second, with some jitter.
        mutating func run(_ duration: Duration, observers: (SnapshotRow, Duration) -> Void = { _, _ in }) {
            let end = now + duration
            while now < end {
                tick += 1
                now += .milliseconds(990 + Int64(tick * 7919 % 21))
                for (at, row) in pending where at <= now {
                    schedule.observe(row, now: at)
                    observers(row, at)
                }
                pending.removeAll { $0.at <= now }
                for id in schedule.takeDue(now: now, tick: tick) {
                    polls[id, default: []].append(now)
                    if let row = answer(id, tick) { pending.append((now + latency, row)) }
                }
            }
        }

        func gaps(_ id: String) -> [Duration] {
            let times = polls[id] ?? []
            return zip(times.dropFirst(), times).map { $0 - $1 }
        }
    }

    func simulation(_ ids: [String] = ids, held: Bool = true, interval: Int? = nil) -> Simulation {
        var simulation = Simulation()
        for id in ids {
            simulation.schedule.update(
                Samples.view(Samples.endpoint(id, interval: interval), held ? Samples.row(id, tick: 0) : nil),
                now: .zero)
        }
        return simulation
    }

    @Test(arguments: [true, false])
    func eachEndpointOncePerIntervalForAnHour(_ held: Bool) {
        var simulation = simulation(held: held)
        simulation.run(.seconds(3600))
        for id in Self.ids {
            // The first gap of new endpoints takes them apart.
            for gap in simulation.gaps(id).dropFirst() {
                #expect(gap > .seconds(8.9) && gap < .seconds(11.1))
            }
            #expect((358...362).contains(simulation.polls[id]?.count ?? 0))
        }
    }

    /// With the time that rows of such endpoints wait to be published.
    @Test func anIntervalOfASecondGivesTenPollsInTenSeconds() {
        var simulation = simulation(interval: 1)
        simulation.run(.seconds(5))
        simulation.polls = [:]
        simulation.run(.seconds(10))
        for id in Self.ids { #expect((9...11).contains(simulation.polls[id]?.count ?? 0), "\(id)") }
        let counts = Self.ids.map { simulation.polls[$0]?.count ?? 0 }
        #expect(counts.reduce(0, +) >= Self.ids.count * 10 - Self.ids.count / 10)
    }

    /// All fail at one moment and are polled again together. They do not stay together.
    @Test func afterAnOutageTheyGoBackToTheirPlaces() {
        var simulation = simulation()
        simulation.run(.seconds(20))
        simulation.answer = { Samples.row($0, tick: $1, state: .degraded, failures: 1) }
        simulation.run(.seconds(25))
        simulation.answer = { Samples.row($0, tick: $1) }
        simulation.run(.seconds(12))
        simulation.polls = [:]
        simulation.run(.seconds(60))
        let perTick = Dictionary(grouping: simulation.polls.values.joined(), by: { $0 }).values.map(\.count)
        #expect((perTick.max() ?? 0) < 40)
        for id in Self.ids {
            for gap in simulation.gaps(id) { #expect(gap > .seconds(8.9) && gap < .seconds(11.1)) }
        }
    }

    @Test func neverAllAtOnce() {
        var simulation = simulation()
        simulation.run(.seconds(60))
        let perTick = Dictionary(grouping: simulation.polls.values.joined(), by: { $0 }).values.map(\.count)
        #expect((perTick.max() ?? 0) < 40)
        var fresh = self.simulation(held: false)
        fresh.run(.seconds(60))
        let afterTheFirst = Dictionary(grouping: fresh.polls.values.flatMap { $0.dropFirst() }, by: { $0 })
        #expect((afterTheFirst.values.map(\.count).max() ?? 0) < 100)
    }

    @Test func intervalsOfRecordsCount() {
        var simulation = simulation(["slow"], interval: 60)
        simulation.run(.seconds(600))
        #expect((9...10).contains(simulation.polls["slow"]?.count ?? 0))
        simulation.schedule.update(
            Samples.view(Samples.endpoint("slow", interval: 2), Samples.row("slow", tick: 1)), now: simulation.now)
        simulation.polls = [:]
        simulation.run(.seconds(60))
        #expect((28...31).contains(simulation.polls["slow"]?.count ?? 0))
    }

    /// A standby that heard the same results goes on within an interval, without a burst.
    @Test func takeOverIsSmooth() {
        var first = simulation()
        var standby = simulation().schedule
        first.run(.seconds(95)) { row, at in standby.observe(row, now: at) }
        // The workers' answers to its last dispatches still come.
        var second = Simulation(
            schedule: standby, now: first.now + .seconds(3), tick: first.tick, pending: first.pending)
        second.run(.seconds(60))
        for id in Self.ids {
            let last = first.polls[id]?.last ?? .zero
            let next = second.polls[id]?.first ?? .seconds(10_000)
            #expect(next - last > .seconds(8))
            #expect(next - last < .seconds(15))
            // What fell due while nobody scheduled is polled late, and keeps its place in the interval.
            #expect((second.gaps(id).first ?? .zero) > .seconds(6))
            for gap in second.gaps(id).dropFirst() { #expect(gap > .seconds(8.9) && gap < .seconds(11.1)) }
        }
    }

    @Test func aFreshSchedulerPollsAllWithinAnInterval() {
        var simulation = simulation()
        simulation.run(.seconds(11))
        #expect(Set(simulation.polls.keys) == Set(Self.ids))
    }

    @Test func aDegradedEndpointIsConfirmedASecondLater() {
        var simulation = simulation(["e"])
        simulation.answer = { Samples.row($0, tick: $1, state: .degraded, failures: 1) }
        simulation.run(.seconds(30))
        for gap in simulation.gaps("e") { #expect(gap <= .seconds(3) && gap >= .seconds(1)) }
    }

    @Test func offlineEndpointsAreAskedLessAndLess() {
        var simulation = simulation(["e"])
        var failures = 1
        simulation.answer = { id, tick in
            failures += 1
            return Samples.row(id, tick: tick, state: .offline, failures: failures)
        }
        simulation.run(.seconds(600))
        let gaps = simulation.gaps("e")
        for (gap, expected) in zip(gaps, [10, 20, 40, 60, 60, 60]) {
            #expect(gap >= .seconds(expected) && gap < .seconds(expected + 3))
        }
        // Back online, it is polled by its interval again.
        simulation.answer = { Samples.row($0, tick: $1) }
        simulation.run(.seconds(120))
        #expect((simulation.gaps("e").last ?? .zero) < .seconds(12))
    }

    @Test func longIntervalsAreNotShortenedByBackoff() {
        var simulation = simulation(["e"], interval: 300)
        simulation.answer = { Samples.row($0, tick: $1, state: .offline, failures: 9) }
        simulation.run(.seconds(1300))
        for gap in simulation.gaps("e") { #expect(gap >= .seconds(300)) }
    }

    /// What a new process reads at its start must not make one moment of all endpoints' polls.
    @Test func aBurstOfOldRowsIsNoNews() {
        var schedule = simulation().schedule
        for tick in 1...10 {
            for id in Self.ids {
                let isNews = schedule.observe(Samples.row(id, tick: Int64(tick)), now: .milliseconds(tick))
                #expect(!isNews)
            }
        }
        var simulation = Simulation(schedule: schedule)
        simulation.run(.seconds(30))
        let perTick = Dictionary(grouping: simulation.polls.values.joined(), by: { $0 }).values.map(\.count)
        #expect((perTick.max() ?? 0) < 40)
    }

    @Test func whatIsNotReportedIsDispatchedAgainAndNotBefore() {
        var simulation = simulation(["e"])
        simulation.answer = { _, _ in nil }
        simulation.run(.seconds(100))
        #expect(simulation.gaps("e").count > 8)
        for gap in simulation.gaps("e") { #expect(gap >= .seconds(8) && gap < .seconds(9.1)) }
    }

    @Test func aLateRowOfAnEarlierDispatchDoesNotCount() {
        var schedule = simulation(["e"]).schedule
        #expect(schedule.takeDue(now: .seconds(10), tick: 100) == ["e"])
        schedule.observe(Samples.row("e", tick: 99, state: .degraded), now: .seconds(11))
        #expect(schedule.takeDue(now: .seconds(13), tick: 101) == [])
        schedule.observe(Samples.row("e", tick: 100, state: .degraded), now: .seconds(13))
        #expect(schedule.takeDue(now: .seconds(14), tick: 102) == ["e"])
    }

    @Test func requestsArePolledAtOnceButNotMoreThanOnceASecond() {
        var schedule = simulation(["e"]).schedule
        let start = Duration.seconds(100)
        _ = schedule.takeDue(now: start, tick: 1)
        schedule.observe(Samples.row("e", tick: 1), now: start + .milliseconds(10))
        for milliseconds in stride(from: 100, to: 1000, by: 100) {
            schedule.request("e", now: start + .milliseconds(milliseconds))
            #expect(schedule.takeDue(now: start + .milliseconds(milliseconds), tick: 2) == [])
        }
        #expect(schedule.takeDue(now: start + .seconds(1), tick: 2) == ["e"])
        // In flight: the answer that is on its way tells.
        schedule.request("e", now: start + .seconds(3))
        #expect(schedule.takeDue(now: start + .seconds(3), tick: 3) == [])
        schedule.request("unknown", now: start)
    }

    @Test func newGenerationsAndNewRecordsArePolledAtOnce() {
        var schedule = Schedule(settings: Schedule.Settings())
        schedule.update(Samples.view(Samples.endpoint("e")), now: .zero)
        #expect(schedule.takeDue(now: .zero, tick: 1) == ["e"])
        schedule.update(Samples.view(Samples.endpoint("e", generation: 2)), now: .milliseconds(50))
        #expect(schedule.takeDue(now: .milliseconds(50), tick: 2) == ["e"])
        // A row of the old generation is no answer.
        schedule.observe(Samples.row("e", tick: 2, state: .degraded, generation: 1), now: .seconds(1))
        #expect(schedule.takeDue(now: .seconds(5), tick: 3) == [])
        // The same record once more changes nothing.
        schedule.update(Samples.view(Samples.endpoint("e", generation: 2)), now: .seconds(5))
        #expect(schedule.takeDue(now: .seconds(5), tick: 3) == [])
        schedule.remove("e")
        #expect(schedule.takeDue(now: .seconds(100), tick: 4) == [])
    }

    @Test func jobsThatCouldNotBeSentAreDueAtTheNextTick() {
        var schedule = simulation(["a", "b"], held: false).schedule
        #expect(schedule.takeDue(now: .zero, tick: 1) == ["a", "b"])
        schedule.dispatchFailed(["b"], now: .zero)
        #expect(schedule.takeDue(now: .seconds(1), tick: 2) == ["b"])
    }

    /// A scheduler that was stopped for long polls each endpoint once, and not again all together.
    @Test func afterAPauseTheySpreadAgain() {
        var simulation = simulation()
        simulation.run(.seconds(60))
        simulation.now += .seconds(30)
        simulation.polls = [:]
        simulation.run(.seconds(60))
        let perTick = Dictionary(grouping: simulation.polls.values.flatMap { $0.dropFirst() }, by: { $0 })
        #expect((perTick.values.map(\.count).max() ?? 0) < 40)
        for id in Self.ids { #expect((6...8).contains(simulation.polls[id]?.count ?? 0)) }
    }

    @Test func phasesAreStableAndSpread() {
        #expect(
            StablePhase.of("7d1f5b9e-0000-4000-8000-000000000000")
                == StablePhase.of("7d1f5b9e-0000-4000-8000-000000000000"))
        // A value that must never change: another process may run another version.
        #expect(Int(StablePhase.of("endpoint-0") * 1_000_000) == 459_711)
        let buckets = Dictionary(grouping: (0..<10_000).map { Int(StablePhase.of("endpoint-\($0)") * 10) }, by: { $0 })
        #expect(buckets.count == 10)
        for bucket in buckets.values { #expect((900...1100).contains(bucket.count)) }
    }
}
