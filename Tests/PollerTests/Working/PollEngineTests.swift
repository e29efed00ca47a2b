import Logging
import Synchronization
import TestSupport
import Testing

@testable import Catalog
@testable import Poller

@Suite(.timeLimit(.minutes(1)))
struct PollEngineTests {
    /// What was published, and an answer to it.
    final class Outbox: Sendable {
        let batches = Mutex<[SnapshotBatch]>([])
        let isWorking = Mutex(true)
        var rows: [SnapshotRow] { batches.withLock { $0.flatMap(\.rows) } }
    }

    /// What became of a job.
    final class Fate: Sendable {
        private let state = Mutex((isAcknowledged: false, returned: [String]()))
        let acknowledged = Event()
        let givenBack = Event()
        var isAcknowledged: Bool { acknowledged.hasHappened }
        /// Ids of the endpoints that were given back.
        var returned: [String] { state.withLock { $0.returned.sorted() } }

        func job(several: Bool) -> PollTable.Job {
            PollTable.Job(
                severalPollers: several, acknowledge: { self.acknowledged.happen() },
                giveBack: { items in
                    self.state.withLock { $0.returned += items.map(\.endpoint) }
                    self.givenBack.happen()
                })
        }
    }

    struct Refused: Error {}

    let time = ManualClock()
    let outbox = Outbox()
    let fleet: Fleet
    let credit = PollCredit(limit: 10)

    init() { fleet = Fleet(poller: "me", clock: time.clock) }

    /// - Parameter poll: nil for an endpoint that never answers
    func engine(
        inFull: Bool = false,
        memory: @escaping @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { _ in nil },
        _ poll: @escaping @Sendable (EndpointRecord) -> Result<EndpointPoll.Outcome, PollError>?
    ) -> PollEngine {
        PollEngine(
            fleet: fleet, clock: time.clock, interval: .seconds(10), credit: credit,
            memory: MemorySurvey(clock: time.clock) { await memory($0) }, logger: Logger(label: "test"),
            poll: { item, _, completion in if let result = poll(item.endpoint) { completion(result) } },
            publishesInFull: { inFull },
            publish: { [outbox] batch in
                guard outbox.isWorking.withLock({ $0 }) else { throw Refused() }
                outbox.batches.withLock { $0.append(batch) }
            })
    }

    /// Begins a job as a worker does.
    func admit(_ engine: PollEngine, _ bases: (String, SnapshotRow?)..., several: Bool = true) async -> Fate {
        let fate = Fate()
        let items = bases.map { PollItem(endpoint: Samples.endpoint($0.0), tick: 5, base: $0.1) }
        #expect(await engine.hasCredit(for: items.count))
        engine.admit(items, of: fate.job(several: several))
        return fate
    }

    static func found(_ ids: String...) -> Result<EndpointPoll.Outcome, PollError> {
        .success(
            EndpointPoll.Outcome(kind: .openai, models: ids.map { Samples.model($0) }, latencyMilliseconds: 1))
    }

    static let down = Result<EndpointPoll.Outcome, PollError>.failure(
        PollError(.transport("connect_failed"), "refused"))

    @Test func everyEndpointIsReportedInOneMessage() async {
        let engine = engine { _ in Self.found("m") }
        let fate = await admit(engine, ("a", nil), ("b", nil))
        #expect(engine.gathered == 2)
        #expect(outbox.rows.isEmpty)
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(outbox.batches.withLock { $0.count } == 1)
        #expect(Set(outbox.rows.map(\.endpoint)) == ["a", "b"])
        #expect(credit.inFlight == 0)
    }

    /// Its row is lost, and the scheduler dispatches the poll again.
    @Test func aRowThatIsNotConfirmedIsLetGo() async {
        outbox.isWorking.withLock { $0 = false }
        let engine = engine { _ in Self.found("m") }
        let fate = await admit(engine, ("a", nil))
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(fate.returned.isEmpty && outbox.rows.isEmpty)
        #expect(credit.inFlight == 0)
    }

    @Test func cutOffPollersGiveTheirFailuresBack() async {
        let engine = engine { _ in Self.down }
        let ended = Event()
        engine.onCutOff { ended.happen() }
        let fate = await admit(engine, ("a", nil), ("b", nil))
        await time.advance(by: CutOff.judgement, until: ended)
        #expect(fate.returned == ["a", "b"])
        #expect(fate.isAcknowledged)
        #expect(outbox.rows.isEmpty)
        #expect(engine.isCutOff)
        #expect(credit.inFlight == 0)
        // What fails while it is cut off is given back at once.
        let late = await admit(engine, ("c", nil))
        #expect(late.returned == ["c"])
    }

    @Test func aProbeThatSucceedsProvesTheNetwork() async {
        let isDown = Mutex(true)
        let engine = engine { _ in isDown.withLock { $0 } ? Self.down : Self.found("m") }
        let ended = Event()
        engine.onCutOff { ended.happen() }
        _ = await admit(engine, ("a", nil), ("b", nil))
        await time.advance(by: CutOff.judgement, until: ended)
        await engine.probe(Samples.view(Samples.endpoint("a")))
        #expect(engine.isCutOff)
        isDown.withLock { $0 = false }
        await engine.probe(Samples.view(Samples.endpoint("a")))
        #expect(!engine.isCutOff)
    }

    @Test func alonePollersReportTheirFailures() async {
        let engine = engine { _ in Self.down }
        let fate = await admit(engine, ("a", nil), ("b", nil), several: false)
        #expect(engine.gathered == 2)
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(fate.returned.isEmpty)
        #expect(outbox.rows.map(\.state) == [.degraded, .degraded])
        #expect(outbox.rows.map(\.failedBy) == [["me"], ["me"]])
    }

    /// A minute without a word from another poller: the job's claim that there are others is out of date.
    @Test func aPollerThatHasBeenAloneForAMinuteCountsAsAlone() async {
        time.advance(by: .seconds(61))
        let engine = engine { _ in Self.down }
        var held = Samples.row("a", tick: 1, state: .degraded, failures: 1, poller: "me")
        held.failedBy = ["me"]
        let fate = await admit(engine, ("a", held))
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(outbox.rows.map(\.state) == [.offline])
    }

    /// All others say that they are cut off: it is the endpoints that are away.
    @Test func aPollerWhoseOthersAreCutOffCountsAsAlone() async {
        fleet.saw("other")
        let several = engine { _ in Self.down }
        let held = await admit(several, ("a", nil))
        #expect(several.gathered == 0, "its failure is held")
        fleet.saw("other", isCutOff: true)
        #expect(fleet.count == 0 && !fleet.mayHaveOthers)
        let alone = engine { _ in Self.down }
        let fate = await admit(alone, ("a", nil), ("b", nil))
        #expect(alone.gathered == 2)
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(outbox.rows.map(\.state) == [.degraded, .degraded])
        fleet.saw("other", isCutOff: false)
        #expect(fleet.count == 1 && fleet.mayHaveOthers)
        _ = held
    }

    @Test func whatAGatewayHasSeenCounts() async {
        let engine = engine { _ in .failure(PollError(.transport("timeout"), "no answer")) }
        var held = Samples.row("a", tick: 1, state: .degraded, failures: 2)
        held.failedBy = ["me"]
        fleet.sawAlive("a")
        let fate = await admit(engine, ("a", held), several: false)
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(outbox.rows.map(\.state) == [.degraded])
        time.advance(by: .seconds(16))
        let later = await admit(engine, ("a", held), several: false)
        await time.advance(by: ReportBatcher.changeDelay, until: later.acknowledged)
        #expect(outbox.rows.map(\.state) == [.degraded, .offline])
    }

    /// Asked only once the list has been reported; said with the next row.
    @Test func memoryIsAskedForAfterTheListAndSaidWithTheNext() async {
        let answered = Event()
        let answer: @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { [outbox] _ in
            #expect(outbox.rows.count == 1)
            defer { answered.happen() }
            return GPUMemory.Reading(bytes: 80)
        }
        let engine = engine(memory: answer) { _ in Self.found("m") }
        for count in 1...2 {
            let fate = await admit(engine, ("a", nil))
            await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
            await answered.wait()
            for _ in 0..<100 { await Task.yield() }
            #expect(outbox.rows.count == count)
        }
        #expect(outbox.rows.map(\.gpuMemoryBytes) == [nil, 80])
    }

    /// A server that hangs on that route costs neither the job nor the credit.
    @Test func memoryIsWaitedForByNobody() async {
        let never = Event()
        let answer: @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { _ in
            await never.wait()
            return nil
        }
        let engine = engine(memory: answer) { _ in Self.found("m") }
        let fate = await admit(engine, ("a", nil))
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(credit.inFlight == 0)
        never.happen()
    }

    @Test func endpointsThatFailAreNotAskedForTheirMemory() async {
        let answer: @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { _ in
            Issue.record("asked")
            return nil
        }
        let engine = engine(memory: answer) { _ in Self.down }
        let fate = await admit(engine, ("a", nil), several: false)
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
    }

    /// An endpoint that hangs costs its own poll, and nothing of the others in its job.
    @Test func aJobIsAcknowledgedBeforeItsSlowestPollEnds() async {
        let engine = engine { $0.id == "hangs" ? nil : Self.found("m") }
        let fate = await admit(engine, ("a", nil), ("hangs", nil))
        await time.advance(by: ReportBatcher.changeDelay) { !outbox.rows.isEmpty }
        #expect(!fate.isAcknowledged && outbox.rows.map(\.endpoint) == ["a"])
        await time.advance(by: PollTable.grace, until: fate.acknowledged)
        #expect(credit.inFlight == 1)
    }

    /// A job that comes again while its polls are in flight is not done twice.
    @Test func aPollInFlightIsNotBegunAgain() async {
        let asked = Mutex(0)
        let engine = engine { _ in
            asked.withLock { $0 += 1 }
            return nil
        }
        _ = await admit(engine, ("a", nil))
        let again = await admit(engine, ("a", nil))
        #expect(asked.withLock { $0 } == 1)
        #expect(again.isAcknowledged && credit.inFlight == 1)
    }

    /// Behind one proxy, so that each lets another one begin: not from within it, which would exhaust the stack.
    @Test func pollsThatEndAtOnceAreBegunInTurn() async {
        let engine = engine { _ in .failure(PollError(.keyUnreadable, "no key")) }
        let fate = Fate()
        let items = (0..<3000).map {
            PollItem(endpoint: Samples.endpoint("\($0)", url: "http://proxy/\($0)"), tick: 5, base: nil)
        }
        #expect(await engine.hasCredit(for: items.count))
        engine.admit(items, of: fate.job(several: false))
        await time.advance(by: ReportBatcher.changeDelay, until: fate.acknowledged)
        #expect(outbox.rows.count == items.count && credit.inFlight == 0)
    }

    @Test func whatIsRememberedOfEndpointsThatAreGoneIsForgotten() {
        var table = PollTable(poller: "me", interval: .seconds(10), isAlive: { _ in false }, amend: { _ in })
        let job = PollTable.Job(severalPollers: false, acknowledge: {}, giveBack: { _ in })
        let now = PollTable.Moment(monotonic: .zero, wallMilliseconds: 0)
        var effects = PollTable.Effects()
        let items = ["a", "b"].map { PollItem(endpoint: Samples.endpoint($0), tick: 1, base: nil) }
        table.admit(items, of: job, severalPollers: false, inFull: false, at: now, &effects)
        for (number, item, _) in effects.begun {
            var outcome = EndpointPoll.Outcome(kind: .openai, models: [], latencyMilliseconds: 1)
            outcome.memo = PollMemo(generation: item.endpoint.generation, kind: .openai, detectedAt: .zero)
            table.succeeded(number, outcome, at: now, &effects)
        }
        #expect(table.memoCount == 2)
        table.keep(only: ["b", "c"])
        #expect(table.memoCount == 1)
    }

    /// The broker gives back by itself what was not acknowledged.
    @Test func aStopGivesBackWhatWasAcknowledged() async {
        let engine = engine { $0.id == "hangs" ? nil : Self.found("m") }
        let old = await admit(engine, ("hangs", nil))
        await time.advance(by: PollTable.grace, until: old.acknowledged)
        let fresh = await admit(engine, ("b", nil))
        engine.stop()
        #expect(old.returned == ["hangs"])
        #expect(fresh.returned.isEmpty && !fresh.isAcknowledged)
        for _ in 0..<1000 where outbox.rows.isEmpty { await Task.yield() }
        #expect(outbox.rows.map(\.endpoint) == ["b"])
    }

    @Test func inFullEveryRowCarriesItsList() async throws {
        let digest = ModelEntry.digest(of: [Samples.model("m")])
        var health = Samples.row("a", tick: 3)
        health.digest = digest
        let models = [Samples.model("m", firstSeen: 1)]
        let view = EndpointView(
            record: Samples.endpoint("a"),
            snapshot: EndpointSnapshot(health: health, modelsTick: 2, digest: digest, models: models))
        let base = PollItem(view, tick: 5).base

        let online = engine(inFull: true) { _ in Self.found("m") }
        let fate = await admit(online, ("a", base))
        await time.advance(by: ReportBatcher.unchangedDelay, until: fate.acknowledged)
        let row = try #require(outbox.rows.first)
        #expect(row.models == models)
        #expect(row.modelsTick == nil)

        let offline = engine(inFull: true) { _ in Self.down }
        let second = await admit(offline, ("a", base), several: false)
        await time.advance(by: ReportBatcher.changeDelay, until: second.acknowledged)
        let failed = try #require(outbox.rows.last)
        #expect(failed.state == .degraded)
        #expect(failed.models == models)
        #expect(failed.modelsTick == 2)
    }
}

extension ManualClock {
    /// Moves on, again and again, until `event` has happened: a timer may be set after the first move.
    fileprivate func advance(by duration: Duration, until event: Event) async {
        await advance(by: duration) { event.hasHappened }
    }

    fileprivate func advance(by duration: Duration, until isDone: () -> Bool) async {
        while !isDone() {
            advance(by: duration)
            for _ in 0..<20 { await Task.yield() }
        }
    }
}

struct ReportBatcherTests {
    func entry(_ token: Int, models: Int = 0) -> ReportBatcher.Entry {
        var row = Samples.row("e\(token)", tick: 1)
        row.models = (0..<models).map { Samples.model("\($0)") }
        return ReportBatcher.Entry(token: token, row: row)
    }

    @Test func changesGoSoonAndTakeTheRestAlong() {
        var batcher = ReportBatcher()
        batcher.add(entry(1), isChange: false, now: .zero)
        #expect(batcher.deadline == .seconds(1))
        batcher.add(entry(2), isChange: true, now: .milliseconds(100))
        #expect(batcher.deadline == .milliseconds(105))
        #expect(batcher.take(now: .milliseconds(104)).isEmpty)
        #expect(batcher.take(now: .milliseconds(105)).map { $0.map(\.token) } == [[1, 2]])
        #expect(batcher.deadline == nil)
        #expect(batcher.count == 0)
    }

    @Test func rowsOfShortIntervalsWaitLess() {
        var batcher = ReportBatcher()
        batcher.add(entry(1), isChange: false, interval: .seconds(60), now: .zero)
        #expect(batcher.deadline == .seconds(1))
        batcher.add(entry(2), isChange: false, interval: .seconds(1), now: .zero)
        #expect(batcher.deadline == .milliseconds(250))
    }

    @Test func aFullMessageGoesAtOnce() {
        var batcher = ReportBatcher()
        for token in 1...49 { batcher.add(entry(token), isChange: false, now: .zero) }
        #expect(batcher.deadline == .seconds(1))
        batcher.add(entry(50), isChange: false, now: .milliseconds(3))
        #expect(batcher.take(now: .milliseconds(3)).map(\.count) == [50])
    }

    @Test func messagesAreCutByRowsAndModels() {
        var batcher = ReportBatcher()
        for token in 1...120 { batcher.add(entry(token), isChange: true, now: .zero) }
        #expect(batcher.takeAll().map(\.count) == [50, 50, 20])
        for token in 1...3 { batcher.add(entry(token, models: 3000), isChange: true, now: .zero) }
        #expect(batcher.takeAll().map(\.count) == [1, 1, 1])
    }
}

@Suite(.timeLimit(.minutes(1)))
struct PollCreditTests {
    @Test func aJobWaitsUntilThereIsRoomForAllOfIt() async {
        let credit = PollCredit(limit: 10)
        #expect(await credit.take(8))
        let taken = Event()
        await withDiscardingTaskGroup { group in
            group.addTask {
                if await credit.take(5) { taken.happen() }
            }
            for _ in 0..<100 { await Task.yield() }
            credit.giveBack(2)
            for _ in 0..<100 { await Task.yield() }
            #expect(!taken.hasHappened)
            credit.giveBack(1)
        }
        #expect(taken.hasHappened)
        #expect(credit.inFlight == 10)
    }

    @Test func aJobThatIsLargerThanTheLimitIsTakenAlone() async {
        let credit = PollCredit(limit: 10)
        #expect(await credit.take(50))
        #expect(credit.inFlight == 50)
        credit.giveBack(50)
        #expect(await credit.take(1))
        #expect(credit.inFlight == 1)
    }

    @Test func aWaitThatIsCancelledTakesNothing() async {
        let credit = PollCredit(limit: 1)
        #expect(await credit.take(1))
        let waiting = Task { await credit.take(1) }
        for _ in 0..<100 { await Task.yield() }
        waiting.cancel()
        #expect(await !waiting.value)
        credit.giveBack(1)
        #expect(credit.inFlight == 0)
    }
}
