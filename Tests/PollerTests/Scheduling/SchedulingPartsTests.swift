import Catalog
import Testing

@testable import Poller

struct SchedulingPartsTests {
    @Test func ticksRiseWhateverTheClocksDo() {
        var ticks = TickCounter()
        #expect(ticks.next(highest: 0, wallMilliseconds: 1000) == 1000)
        #expect(ticks.next(highest: 1000, wallMilliseconds: 1000) == 1001)
        #expect(ticks.next(highest: 0, wallMilliseconds: 500) == 1002)
        // After a scheduler whose clock was an hour ahead.
        #expect(ticks.next(highest: 3_600_000, wallMilliseconds: 2000) == 3_600_001)
        #expect(ticks.next(highest: 3_600_001, wallMilliseconds: 3000) == 3_600_002)
    }

    @Test func pollersCountForAMinute() {
        var presence = PollerPresence()
        presence.see("a", now: .zero)
        #expect(presence.count(now: .zero) == 1)
        #expect(!presence.hasOthers(than: "a", now: .zero))
        presence.see("b", now: .seconds(30))
        #expect(presence.count(now: .seconds(60)) == 2)
        #expect(presence.hasOthers(than: "a", now: .seconds(60)))
        #expect(presence.count(now: .seconds(61)) == 1)
        #expect(!presence.hasOthers(than: "a", now: .seconds(91)))
        presence.see("c", isCutOff: true, now: .seconds(100))
        #expect(presence.count(now: .seconds(100)) == 0)
        #expect(presence.hasOthers(than: "a", now: .seconds(100)))
        #expect(!presence.hasOthers(than: "a", reaching: true, now: .seconds(100)))
        presence.see("c", isCutOff: false, now: .seconds(101))
        #expect(presence.count(now: .seconds(101)) == 1)
        for poller in 0..<1000 { presence.see("\(poller)", now: .seconds(200 + poller * 2)) }
        #expect(presence.count(now: .seconds(200 + 999 * 2)) == 31)
    }

    @Test func anImageIsDueWhenTheLogBehindTheLastOneIsLargerOrAMinutePasses() {
        func progress(_ offset: Int64, bytes: Int, image: LogProgress.Image? = nil) -> LogProgress {
            LogProgress(position: LogPosition(offset: offset, messageID: "m\(offset)"), bytes: bytes, image: image)
        }
        let limit = ImageRule.smallestLog
        var rule = ImageRule()
        func expectDue(
            _ expected: Bool, _ progress: LogProgress, _ now: Duration, _ location: SourceLocation = #_sourceLocation
        ) {
            let isDue = rule.isDue(progress, now: now)
            #expect(isDue == expected, sourceLocation: location)
        }
        expectDue(true, progress(5, bytes: 10), .zero)
        rule.wrote(size: 100, at: progress(5, bytes: 10), now: .zero)
        expectDue(false, progress(6, bytes: 10 + limit - 1), .seconds(1))
        expectDue(true, progress(6, bytes: 10 + limit), .seconds(1))
        expectDue(false, progress(5, bytes: 10), .seconds(100))
        expectDue(true, progress(6, bytes: 11), .seconds(60))
        // A large image is worth as much log.
        rule.wrote(size: 3 * limit, at: progress(6, bytes: 50), now: .seconds(60))
        expectDue(false, progress(9, bytes: 50 + 3 * limit - 1), .seconds(61))
        expectDue(true, progress(9, bytes: 50 + 3 * limit), .seconds(61))
        // The catalog was read anew.
        expectDue(true, progress(2, bytes: 20), .seconds(62))
        rule.failed(now: .seconds(62))
        expectDue(false, progress(2, bytes: 20), .seconds(71))
        expectDue(true, progress(2, bytes: 20), .seconds(72))
    }

    @Test func aSchedulerThatStartedFromAnImageNeedsNoneAtOnce() {
        let image = LogProgress.Image(position: LogPosition(offset: 5, messageID: "m5"), size: 100)
        let progress = LogProgress(position: LogPosition(offset: 6, messageID: "m6"), bytes: 10, image: image)
        var rule = ImageRule()
        let early = rule.isDue(progress, now: .seconds(1000))
        #expect(!early)
        let late = rule.isDue(progress, now: .seconds(1060))
        #expect(late)
    }

    func due(_ count: Int, _ state: EndpointState = .online) -> [JobBuilder.Due] {
        (0..<count).map { number in
            JobBuilder.Due(
                Samples.view(Samples.endpoint("\(number)"), Samples.row("\(number)", tick: 1, state: state)))
        }
    }

    @Test func jobsAreCutByItemsAndPollers() {
        func sizes(_ due: [JobBuilder.Due], pollers: Int) -> [Int] {
            JobBuilder.jobs(due, tick: 8, pollers: pollers).map(\.items.count)
        }
        #expect(sizes([], pollers: 2) == [])
        #expect(sizes(due(120), pollers: 2) == [50, 50, 20])
        // As many as there are pollers, so that each has a part whatever the rhythm of what is due.
        #expect(sizes(due(24), pollers: 4) == [6, 6, 6, 6])
        #expect(sizes(due(25), pollers: 4) == [7, 7, 7, 4])
        #expect(sizes(due(3), pollers: 4) == [1, 1, 1])
        // None that has reported yet.
        #expect(sizes(due(24), pollers: 0) == [24])
        #expect(JobBuilder.jobs(due(1), tick: 8, pollers: 2).map(\.severalPollers) == [true])
        #expect(JobBuilder.jobs(due(1), tick: 8, pollers: 1).map(\.severalPollers) == [false])
        #expect(JobBuilder.jobs(due(1), tick: 8, pollers: 1).map(\.tick) == [8])
    }

    @Test func offlineEndpointsTravelApart() {
        let mixed = zip(due(30), due(30, .offline)).flatMap { [$0, $1] }
        let jobs = JobBuilder.jobs(mixed, tick: 8, pollers: 1)
        #expect(jobs.map(\.items.count) == [30, 30])
        let offline = Set(mixed.filter(\.isOffline).map(\.item))
        #expect(Set(jobs[1].items) == offline)
    }

    @Test func pollsAreMadeFromWhatIsHeld() {
        var row = Samples.row("e", tick: 5)
        row.digest = "d"
        let models = [Samples.model("a", context: 4096, firstSeen: 3)]
        var view = Samples.view(Samples.endpoint("e"), row, models: models)
        let item = PollItem(view, tick: 8)
        #expect(item.tick == 8)
        #expect(item.base?.digest == "d")
        #expect(item.base?.models == models)
        // Out of step: the next row must be full, and the times are kept all the same.
        view.snapshot?.health.digest = "newer"
        #expect(PollItem(view, tick: 8).base?.digest == nil)
        #expect(PollItem(view, tick: 8).base?.models?.map(\.firstSeen) == [3])
        view.snapshot = nil
        #expect(PollItem(view, tick: 8).base == nil)
    }

    @Test func jobsAreSortedByWhatIsHeld() {
        let held = [
            "new": Samples.view(Samples.endpoint("new", generation: 4)),
            "due": Samples.view(Samples.endpoint("due", generation: 4), Samples.row("due", tick: 7, generation: 4)),
            "done": Samples.view(Samples.endpoint("done", generation: 4), Samples.row("done", tick: 8, generation: 4)),
            "changed": Samples.view(Samples.endpoint("changed", generation: 5)),
            "behind": Samples.view(Samples.endpoint("behind", generation: 3)),
        ]
        let names = ["new", "due", "done", "changed", "behind", "unseen"]
        let job = PollJob(
            tick: 8, severalPollers: true, items: names.map { PollJob.Item(endpoint: $0, generation: 4) })
        let admitted = AdmittedJob(job) { held[$0] }
        #expect(admitted.polls.map(\.endpoint.id) == ["new", "due"])
        #expect(admitted.polls.map(\.tick) == [8, 8])
        #expect(admitted.unknown.map(\.endpoint) == ["behind", "unseen"])
    }
}
