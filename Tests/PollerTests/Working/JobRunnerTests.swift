import Logging
import Synchronization
import TestSupport
import Testing

@testable import Catalog
@testable import Poller

@Suite(.timeLimit(.minutes(1)))
struct JobRunnerTests {
    /// What was published, and an answer to it.
    final class Outbox: Sendable {
        let batches = Mutex<[SnapshotBatch]>([])
        let isWorking = Mutex(true)
        var rows: [SnapshotRow] { batches.withLock { $0.flatMap(\.rows) } }
    }

    struct Refused: Error {}

    let time = ManualClock()
    let outbox = Outbox()
    let fleet: Fleet
    let gate: FailureGate
    let credit = PollCredit(limit: 10)

    init() {
        fleet = Fleet(poller: "me", clock: time.clock)
        gate = FailureGate(clock: time.clock)
    }

    func runner(
        inFull: Bool = false, held: EndpointSnapshot? = nil,
        memory: @escaping @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { _ in nil },
        _ poll: @escaping @Sendable (EndpointRecord) async -> Result<EndpointPoll.Outcome, PollError>
    ) -> JobRunner {
        let reporter = Reporter(poller: "me", clock: time.clock, logger: Logger(label: "test")) { [outbox] batch in
            guard outbox.isWorking.withLock({ $0 }) else { throw Refused() }
            outbox.batches.withLock { $0.append(batch) }
        }
        return JobRunner(
            fleet: fleet, clock: time.clock, gate: gate, credit: credit, reporter: reporter,
            memory: MemorySurvey(clock: time.clock) { await memory($0) },
            poll: { endpoint, _ in await poll(endpoint) },
            publishesInFull: { inFull }, held: { _ in held })
    }

    func items(_ bases: (String, SnapshotRow?)...) -> [PollItem] {
        bases.map { PollItem(endpoint: Samples.endpoint($0.0), tick: 5, base: $0.1) }
    }

    /// Returns once so many rows wait to be reported.
    func reports(_ count: Int, of runner: JobRunner) async {
        while await runner.reporter.unconfirmed < count { await Task.yield() }
    }

    static func found(_ ids: String...) -> Result<EndpointPoll.Outcome, PollError> {
        .success(
            EndpointPoll.Outcome(kind: .openai, models: ids.map { Samples.model($0) }, latencyMilliseconds: 1))
    }

    static let down = Result<EndpointPoll.Outcome, PollError>.failure(PollError(.transport("timeout"), "no answer"))

    @Test func everyEndpointIsReportedInOneMessage() async {
        let runner = runner { _ in Self.found("m") }
        async let fate = runner.run(items(("a", nil), ("b", nil)), severalPollers: true)
        await reports(2, of: runner)
        await time.sleepers(1)
        #expect(outbox.rows.isEmpty)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await fate == .reported)
        #expect(outbox.batches.withLock { $0.count } == 1)
        #expect(Set(outbox.rows.map(\.endpoint)) == ["a", "b"])
    }

    @Test func aRowThatIsNotConfirmedIsNotReported() async {
        outbox.isWorking.withLock { $0 = false }
        let runner = runner { _ in Self.found("m") }
        async let fate = runner.run(items(("a", nil)), severalPollers: true)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await fate == .unconfirmed)
    }

    @Test func cutOffPollersKeepTheirFailures() async {
        let runner = runner { _ in Self.down }
        async let fate = runner.run(items(("a", nil), ("b", nil)), severalPollers: true)
        await time.sleepers(1)
        while await !gate.isCutOff { time.advance(by: CutOff.judgement) }
        #expect(await fate == .withheld)
        #expect(outbox.rows.isEmpty)
        #expect(await gate.isCutOff)
        await gate.succeeded()
        #expect(await !gate.isCutOff)
    }

    @Test func alonePollersReportTheirFailures() async {
        let runner = runner { _ in Self.down }
        async let fate = runner.run(items(("a", nil), ("b", nil)), severalPollers: false)
        await reports(2, of: runner)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await fate == .reported)
        #expect(outbox.rows.map(\.state) == [.degraded, .degraded])
        #expect(outbox.rows.map(\.failedBy) == [["me"], ["me"]])
    }

    /// A minute without a word from another poller: the job's claim that there are others is out of date.
    @Test func aPollerThatHasBeenAloneForAMinuteCountsAsAlone() async {
        time.advance(by: .seconds(61))
        let runner = runner { _ in Self.down }
        var held = Samples.row("a", tick: 1, state: .degraded, failures: 1, poller: "me")
        held.failedBy = ["me"]
        async let fate = runner.run(items(("a", held)), severalPollers: true)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await fate == .reported)
        #expect(outbox.rows.map(\.state) == [.offline])
    }

    /// Asked only once the list has been reported; said with the next row.
    @Test func memoryIsAskedForAfterTheListAndSaidWithTheNext() async {
        let answer: @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { [outbox] _ in
            #expect(outbox.rows.count == 1)
            return GPUMemory.Reading(bytes: 80)
        }
        let runner = runner(memory: answer) { _ in Self.found("m") }
        for count in 1...2 {
            async let fate = runner.run(items(("a", nil)), severalPollers: true)
            await time.sleepers(1)
            time.advance(by: ReportBatcher.changeDelay)
            #expect(await fate == .reported)
            #expect(outbox.rows.count == count)
        }
        #expect(outbox.rows.map(\.gpuMemoryBytes) == [nil, 80])
    }

    @Test func endpointsThatFailAreNotAskedForTheirMemory() async {
        let answer: @Sendable (EndpointRecord) async -> GPUMemory.Reading? = { _ in
            Issue.record("asked")
            return nil
        }
        let runner = runner(memory: answer) { _ in Self.down }
        async let fate = runner.run(items(("a", nil)), severalPollers: false)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await fate == .reported)
    }

    @Test func inFullEveryRowCarriesItsList() async throws {
        let digest = ModelEntry.digest(of: [Samples.model("m")])
        var health = Samples.row("a", tick: 3)
        health.digest = digest
        let models = [Samples.model("m", firstSeen: 1)]
        let held = EndpointSnapshot(health: health, modelsTick: 2, digest: digest, models: models)
        var base = health
        base.models = models

        let online = runner(inFull: true, held: held) { _ in Self.found("m") }
        async let fate = online.run(items(("a", base)), severalPollers: true)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.unchangedDelay)
        #expect(await fate == .reported)
        let row = try #require(outbox.rows.first)
        #expect(row.models == models)
        #expect(row.modelsTick == nil)

        let offline = runner(inFull: true, held: held) { _ in Self.down }
        async let second = offline.run(items(("a", base)), severalPollers: false)
        await time.sleepers(1)
        time.advance(by: ReportBatcher.changeDelay)
        #expect(await second == .reported)
        let failed = try #require(outbox.rows.last)
        #expect(failed.state == .degraded)
        #expect(failed.models == models)
        #expect(failed.modelsTick == 2)
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
        #expect(batcher.isEmpty)
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
        await credit.take(8)
        let taken = Event()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await credit.take(5)
                taken.happen()
            }
            for _ in 0..<100 { await Task.yield() }
            credit.giveBack()
            credit.giveBack()
            for _ in 0..<100 { await Task.yield() }
            #expect(!taken.hasHappened)
            credit.giveBack()
        }
        #expect(taken.hasHappened)
        #expect(credit.inFlight == 10)
    }

    @Test func aJobThatIsLargerThanTheLimitIsTakenAlone() async {
        let credit = PollCredit(limit: 10)
        await credit.take(50)
        #expect(credit.inFlight == 50)
        credit.giveBack(50)
        await credit.take(1)
        #expect(credit.inFlight == 1)
    }
}
