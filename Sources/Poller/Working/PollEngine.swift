import Catalog
import Logging
import Synchronization

/// Makes the polls of jobs, from the first request to the row that the broker has confirmed.
///
/// There is no task for a poll: a poll is an entry in `PollTable`, and the transport's completions drive it on. The table
/// says what follows from an event, under one lock. The engine does it, outside of the lock.
final class PollEngine: Sendable {
    typealias Poll =
        @Sendable (
            _ item: PollItem, _ memo: PollMemo?, _ completion: @escaping EndpointPoll.Completion
        ) -> Void

    private struct State: Sendable {
        var table: PollTable
        /// The earliest wake-up that is under way.
        var wakeUp: Duration?
        var toBegin: [(number: Int, item: PollItem, memo: PollMemo?)] = []
        var isBeginning = false
        var onCutOff: (@Sendable () -> Void)?
    }

    let fleet: Fleet
    let clock: PollerClock
    private let credit: PollCredit
    private let memory: MemorySurvey
    private let logger: Logger
    private let poll: Poll
    private let publishesInFull: @Sendable () -> Bool
    private let publish: @Sendable (SnapshotBatch) async throws -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - interval: between two polls of an endpoint whose record names none
    ///   - poll: begins a poll
    ///   - publishesInFull: whether rows must carry full lists, because the log is being made anew
    ///   - publish: returns once the broker has confirmed
    init(
        fleet: Fleet, clock: PollerClock, interval: Duration, credit: PollCredit, memory: MemorySurvey,
        logger: Logger, poll: @escaping Poll, publishesInFull: @escaping @Sendable () -> Bool,
        publish: @escaping @Sendable (SnapshotBatch) async throws -> Void
    ) {
        self.fleet = fleet
        self.clock = clock
        self.credit = credit
        self.memory = memory
        self.logger = logger
        self.poll = poll
        self.publishesInFull = publishesInFull
        self.publish = publish
        let table = PollTable(
            poller: fleet.poller, interval: interval, isAlive: { fleet.isAlive($0) }, amend: { memory.amend(&$0) })
        state = Mutex(State(table: table))
    }

    var isCutOff: Bool { state.withLock { $0.table.isCutOff } }
    /// See `PollTable`.
    var seesNothing: Bool { state.withLock { $0.table.seesNothing } }
    var gathered: Int { state.withLock { $0.table.gathered } }

    /// Returns once there is credit for the polls of a job; false if the task was cancelled meanwhile.
    func hasCredit(for polls: Int) async -> Bool { await credit.take(polls) }

    /// Begins the polls of a job. `hasCredit` has been asked for them.
    func admit(_ polls: [PollItem], of job: PollTable.Job) {
        let isSeveral = job.severalPollers && fleet.mayHaveOthers
        let isInFull = publishesInFull()
        change { table, now, effects in
            table.admit(polls, of: job, severalPollers: isSeveral, inFull: isInFull, at: now, &effects)
        }
    }

    /// One poll outside of all jobs, whose success proves the network. Returns once it has ended.
    func probe(_ view: EndpointView) async {
        await withCheckedContinuation { continuation in
            poll(PollItem(view, tick: 0), nil) { result in
                if case .success = result { self.change { $0.answered(at: $1, &$2) } }
                continuation.resume()
            }
        }
    }

    /// No other poller is there to judge: this one's word stands.
    func standAlone() { change { $0.standAlone(at: $1, &$2) } }

    /// `action` is called when this poller takes itself for cut off.
    func onCutOff(_ action: (@Sendable () -> Void)?) { state.withLock { $0.onCutOff = action } }

    /// Forgets what it remembers of all other endpoints.
    func keep(only ids: Set<String>) { state.withLock { $0.table.keep(only: ids) } }

    /// Lets go of all polls, and gives back those that no row is there of.
    func stop() { change { table, _, effects in table.stop(&effects) } }

    private func ended(_ number: Int, _ result: Result<EndpointPoll.Outcome, PollError>) {
        change { table, now, effects in
            switch result {
            case .success(let outcome): table.succeeded(number, outcome, at: now, &effects)
            case .failure(let error): table.failed(number, error, at: now, &effects)
            }
        }
    }

    // MARK: -

    /// - Parameter reached: a deadline that has come, in case that the clock that waited for it is ahead of the other one
    private func change(
        at reached: Duration? = nil, _ body: (inout PollTable, PollTable.Moment, inout PollTable.Effects) -> Void
    ) {
        let now = PollTable.Moment(
            monotonic: max(clock.monotonic(), reached ?? .zero), wallMilliseconds: clock.wallMilliseconds())
        let (effects, wakeUp, onCutOff) = state.withLock { state in
            var effects = PollTable.Effects()
            if state.wakeUp == reached { state.wakeUp = nil }
            body(&state.table, now, &effects)
            state.table.takeMessages(at: now, &effects)
            var wakeUp: Duration?
            if let deadline = state.table.deadline, state.wakeUp.map({ deadline < $0 }) ?? true {
                state.wakeUp = deadline
                wakeUp = deadline
            }
            return (effects, wakeUp, effects.isCutOff ? state.onCutOff : nil)
        }
        perform(effects)
        onCutOff?()
        if let wakeUp { wake(at: wakeUp) }
    }

    private func wake(at deadline: Duration) {
        let pause = deadline - clock.monotonic()
        Task {
            if pause > .zero { await clock.pause(pause) }
            change(at: deadline) { $0.wake(at: $1, &$2) }
        }
    }

    private func perform(_ effects: PollTable.Effects) {
        for (job, items) in effects.givenBack { job.giveBack(items) }
        for job in effects.acknowledged { job.acknowledge() }
        if effects.credit > 0 { credit.giveBack(effects.credit) }
        for message in effects.messages { send(message) }
        begin(effects.begun)
        for (endpoint, kind) in effects.reported where memory.isDue(endpoint, kind: kind) {
            Task { await memory.visit(endpoint) }
        }
    }

    /// A poll that ends at once (its key is unreadable, say) may let others begin. They are begun here, in turn, and not
    /// each from within the one before.
    private func begin(_ polls: [(number: Int, item: PollItem, memo: PollMemo?)]) {
        guard !polls.isEmpty else { return }
        let isMine = state.withLock { state in
            state.toBegin += polls
            defer { state.isBeginning = true }
            return !state.isBeginning
        }
        guard isMine else { return }
        while true {
            let next = state.withLock { state in
                let next = state.toBegin
                state.toBegin = []
                state.isBeginning = !next.isEmpty
                return next
            }
            if next.isEmpty { return }
            for (number, item, memo) in next { poll(item, memo) { self.ended(number, $0) } }
        }
    }

    private func send(_ message: [ReportBatcher.Entry]) {
        let batch = SnapshotBatch(poller: fleet.poller, rows: message.map(\.row))
        Task {
            var isConfirmed = true
            do {
                try await publish(batch)
            } catch {
                isConfirmed = false
                logger.debug(
                    "Snapshots are not confirmed", metadata: ["error": "\(error)", "rows": "\(message.count)"])
            }
            change { table, _, effects in table.published(message, isConfirmed: isConfirmed, &effects) }
        }
    }
}
