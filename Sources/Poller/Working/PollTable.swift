import Catalog

/// The polls that a poller has in flight, and what follows from what happens to them. Pure: the time is told, and what is
/// to be done is given back.
struct PollTable: Sendable {
    /// What is done with a job besides its polls.
    struct Job: Sendable {
        var severalPollers: Bool
        var acknowledge: @Sendable () -> Void
        /// Puts polls into the queue again.
        var giveBack: @Sendable ([PollJob.Item]) -> Void
    }

    struct Poll: Sendable {
        var item: PollItem
        var job: Int
        /// Scheme, host, and port.
        var origin: String
        /// Another poller is there, so one poller's word is not enough.
        var severalPollers: Bool
        /// The row must carry a full list, because the log is being made anew.
        var inFull: Bool
        /// Held until the poller knows whether it is cut off.
        var failure: PollError?
    }

    struct Moment: Sendable {
        var monotonic: Duration
        var wallMilliseconds: Int64
    }

    /// What is to be done after a call.
    struct Effects: Sendable {
        /// Polls to be begun, by their numbers.
        var begun: [(number: Int, item: PollItem, memo: PollMemo?)] = []
        var acknowledged: [Job] = []
        var givenBack: [(job: Job, items: [PollJob.Item])] = []
        var messages: [[ReportBatcher.Entry]] = []
        /// Polls that have ended.
        var credit = 0
        /// Endpoints whose list has just been reported.
        var reported: [(endpoint: EndpointRecord, kind: EndpointKind?)] = []
        /// This poller takes itself for cut off: it must take no more jobs.
        var isCutOff = false
    }

    private struct OpenJob: Sendable {
        var job: Job
        /// Polls that have not ended.
        var left: Int
        var isAcknowledged = false
    }

    /// A job is acknowledged as soon as its polls are reported, and after this time in any case: so an endpoint that hangs
    /// holds up no job but costs one poll of the credit. If the poller dies, the broker gives what is not acknowledged to
    /// another one at once, which are the polls of endpoints that answer. The scheduler dispatches the others again
    /// (`Schedule.Settings.lostAfter`).
    static let grace = Duration.seconds(2)

    private let poller: String
    /// Between two polls of an endpoint whose record names none.
    private let interval: Duration
    /// Whether a gateway gets bytes from an endpoint.
    private let isAlive: @Sendable (String) -> Bool
    /// Puts what only this poller knows into a row.
    private let amend: @Sendable (inout SnapshotRow) -> Void
    private var lastNumber = 0
    private var polls: [Int: Poll] = [:]
    /// The tick of the poll of each endpoint that is in flight.
    private var ticks: [String: Int64] = [:]
    private var jobs: [Int: OpenJob] = [:]
    private var graces: [(end: Duration, job: Int)] = []
    private var memos: [String: PollMemo] = [:]
    private var pacing = HostPacing()
    private var cutOff = CutOff()
    private var batcher = ReportBatcher()

    init(
        poller: String, interval: Duration, isAlive: @escaping @Sendable (String) -> Bool,
        amend: @escaping @Sendable (inout SnapshotRow) -> Void
    ) {
        self.poller = poller
        self.interval = interval
        self.isAlive = isAlive
        self.amend = amend
    }

    var isCutOff: Bool { cutOff.isCutOff }
    /// It has taken itself for cut off, and no endpoint has answered since. Also while its word stands all the same.
    private(set) var seesNothing = false
    /// Rows that wait for their message.
    var gathered: Int { batcher.count }

    /// When `wake` has something to do.
    var deadline: Duration? {
        [cutOff.deadline, batcher.deadline, graces.first?.end, pacing.deadline].compactMap { $0 }.min()
    }

    /// Takes in a job, and begins its polls as soon as there is room at their hosts.
    mutating func admit(
        _ items: [PollItem], of job: Job, severalPollers: Bool, inFull: Bool, at now: Moment, _ effects: inout Effects
    ) {
        lastNumber += 1
        let jobNumber = lastNumber
        var left = 0
        for item in items {
            // A job that comes again after a lost connection, while its polls are still in flight.
            guard ticks[item.endpoint.id] != item.tick else {
                effects.credit += 1
                continue
            }
            lastNumber += 1
            left += 1
            ticks[item.endpoint.id] = item.tick
            let origin = HostName.origin(of: item.endpoint.baseURL)
            polls[lastNumber] = Poll(
                item: item, job: jobNumber, origin: origin, severalPollers: severalPollers, inFull: inFull)
            begin(pacing.add(lastNumber, to: origin, at: now.monotonic), &effects)
        }
        if left == 0 {
            effects.acknowledged.append(job)
        } else {
            jobs[jobNumber] = OpenJob(job: job, left: left)
            graces.append((now.monotonic + Self.grace, jobNumber))
        }
    }

    private func begin(_ numbers: [Int], _ effects: inout Effects) {
        for number in numbers {
            guard let item = polls[number]?.item else { continue }
            effects.begun.append((number, item, memos[item.endpoint.id]))
        }
    }

    /// An endpoint has answered. The network is proved, so failures that were held count.
    mutating func answered(at now: Moment, _ effects: inout Effects) {
        seesNothing = false
        settle(cutOff.succeeded(), at: now, &effects)
    }

    /// No other poller is there to judge: this one's word stands.
    mutating func standAlone(at now: Moment, _ effects: inout Effects) {
        settle(cutOff.standAlone(), at: now, &effects)
    }

    mutating func succeeded(
        _ number: Int, _ outcome: EndpointPoll.Outcome, at now: Moment, _ effects: inout Effects
    ) {
        answered(at: now, &effects)
        guard let poll = polls[number] else { return }
        memos[poll.item.endpoint.id] = outcome.memo
        let time = Duration.milliseconds(outcome.latencyMilliseconds)
        begin(pacing.end(number, of: poll.origin, after: time, at: now.monotonic), &effects)
        report(number, .success(outcome), at: now)
    }

    mutating func failed(_ number: Int, _ error: PollError, at now: Moment, _ effects: inout Effects) {
        guard let poll = polls[number] else { return }
        polls[number]?.failure = error
        begin(pacing.end(number, of: poll.origin, after: nil, at: now.monotonic), &effects)
        let counts =
            poll.severalPollers && poll.item.base?.state != .offline && error.code != .keyUnreadable
        settle(
            cutOff.failed(
                number, host: HostName.of(poll.item.endpoint.baseURL), counts: counts, now: now.monotonic),
            at: now, &effects)
    }

    /// A message has been confirmed by the broker, or is lost.
    mutating func published(_ entries: [ReportBatcher.Entry], isConfirmed: Bool, _ effects: inout Effects) {
        for entry in entries {
            guard let poll = polls[entry.token] else { continue }
            if isConfirmed, entry.row.error == nil {
                effects.reported.append((poll.item.endpoint, entry.row.kind))
            }
            // A row that is lost is not made good here: the scheduler dispatches the poll again.
            end(entry.token, poll, &effects)
        }
    }

    /// Does what has become due.
    mutating func wake(at now: Moment, _ effects: inout Effects) {
        begin(pacing.wake(at: now.monotonic), &effects)
        settle(cutOff.judge(now: now.monotonic), at: now, &effects)
        while let first = graces.first, first.end <= now.monotonic {
            graces.removeFirst()
            acknowledge(first.job, &effects)
        }
    }

    mutating func takeMessages(at now: Moment, _ effects: inout Effects) {
        effects.messages += batcher.take(now: now.monotonic)
    }

    /// Lets go of everything. Rows that are there already are still published. What is not done goes back to the queue: by
    /// the broker, unless the job was acknowledged.
    mutating func stop(_ effects: inout Effects) {
        effects.messages += batcher.takeAll()
        let done = Set(effects.messages.joined().map(\.token))
        let left = polls.filter { !done.contains($0.key) }.values
        giveBack(Array(left), &effects) { $0.isAcknowledged }
        (polls, jobs, ticks, graces, pacing) = ([:], [:], [:], [], HostPacing())
    }

    /// Forgets endpoints that are gone.
    mutating func keep(only ids: Set<String>) {
        memos = memos.filter { ids.contains($0.key) }
        pacing.forgetIdle()
    }

    var memoCount: Int { memos.count }

    // MARK: -

    private mutating func settle(_ verdict: CutOff.Verdict, at now: Moment, _ effects: inout Effects) {
        for number in verdict.released {
            guard let error = polls[number]?.failure else { continue }
            report(number, .failure(error), at: now)
        }
        guard !verdict.withheld.isEmpty else { return }
        // The subscription ends now, and the broker would give all jobs that are not acknowledged to another poller. What is
        // still in flight may succeed, and is given back if it fails.
        for number in jobs.keys { acknowledge(number, &effects) }
        graces = []
        effects.isCutOff = true
        seesNothing = true
        let withheld = verdict.withheld.compactMap { polls[$0] }
        giveBack(withheld, &effects) { _ in true }
        for number in verdict.withheld { if let poll = polls[number] { end(number, poll, &effects) } }
    }

    private mutating func report(_ number: Int, _ result: Result<EndpointPoll.Outcome, PollError>, at now: Moment) {
        guard let poll = polls[number] else { return }
        let rules = SnapshotRules(
            poller: poller, severalPollers: poll.severalPollers, wallMilliseconds: now.wallMilliseconds,
            isAlive: isAlive(poll.item.endpoint.id))
        var row = rules.row(for: poll.item, result)
        amend(&row)
        let isChange = SnapshotRules.isChange(row, from: poll.item.base)
        if poll.inFull { rules.fill(&row, for: poll.item, result) }
        let interval = poll.item.endpoint.pollIntervalSeconds.map { Duration.seconds($0) } ?? self.interval
        batcher.add(
            .init(token: number, row: row), isChange: isChange, interval: interval, now: now.monotonic)
    }

    private mutating func end(_ number: Int, _ poll: Poll, _ effects: inout Effects) {
        polls[number] = nil
        if ticks[poll.item.endpoint.id] == poll.item.tick { ticks[poll.item.endpoint.id] = nil }
        effects.credit += 1
        jobs[poll.job]?.left -= 1
        guard jobs[poll.job]?.left == 0 else { return }
        acknowledge(poll.job, &effects)
        jobs[poll.job] = nil
    }

    private mutating func acknowledge(_ number: Int, _ effects: inout Effects) {
        guard let open = jobs[number], !open.isAcknowledged else { return }
        jobs[number]?.isAcknowledged = true
        effects.acknowledged.append(open.job)
    }

    private func giveBack(_ polls: [Poll], _ effects: inout Effects, where isOurs: (OpenJob) -> Bool) {
        for (number, polls) in Dictionary(grouping: polls, by: \.job) {
            guard let open = jobs[number], isOurs(open) else { continue }
            let items = polls.map { poll in
                PollJob.Item(endpoint: poll.item.endpoint.id, generation: poll.item.endpoint.generation)
            }
            effects.givenBack.append((open.job, items))
        }
    }
}
