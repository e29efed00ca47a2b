import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Follows the catalog's effects all the time, and turns ticks into jobs whenever the ticks come here.
///
/// The broker gives the ticks to one poller at a time. Another one's jobs do no harm: what they lead to is versioned.
actor Scheduler: Service {
    /// Ticks in hand at most: they are worth nothing later.
    private static let prefetch = 4
    /// A scheduler whose catalog has not been current for this long lets another one have the ticks.
    private static let patience = Duration.seconds(3)
    private static let recheck = Duration.milliseconds(250)
    /// How often the schedule is compared with the whole catalog, which may have been exchanged for a new one.
    private static let reconcileInterval = Duration.seconds(30)
    /// How often the snapshots are given to a stream that was made anew, until it has them all.
    private static let restoreInterval = Duration.seconds(5)
    /// However many processes ask for the catalog, it is not said more often.
    private static let restateInterval = Duration.seconds(30)
    /// Messages whose confirms are waited for before more are sent.
    private static let restateWindow = 64

    /// What is to be said on the stream once more.
    private enum Restatement {
        case everything, snapshots
    }

    private let follower: CatalogFollower
    private let consuming: Connection
    private let publishing: Connection
    private let brokerMap: BrokerMap
    private let fleet: Fleet
    /// Told the ids of all endpoints from time to time.
    private let onReconcile: @Sendable (Set<String>) -> Void
    private let clock: PollerClock
    private let logger: Logger
    private var schedule: Schedule
    private var journal: EndpointJournal
    private var hasOpened = false
    private let restatements: AsyncStream<Restatement>
    private let restate: AsyncStream<Restatement>.Continuation
    private var ticks = TickCounter()
    private var lastReconciled: Duration?
    private var lastRestored: Duration?
    private var lastRestated: Duration?

    init(
        follower: CatalogFollower, consuming: Connection, publishing: Connection, brokerMap: BrokerMap, fleet: Fleet,
        clock: PollerClock, settings: Schedule.Settings, logger: Logger,
        onReconcile: @escaping @Sendable (Set<String>) -> Void
    ) {
        self.follower = follower
        self.consuming = consuming
        self.publishing = publishing
        self.brokerMap = brokerMap
        self.fleet = fleet
        self.clock = clock
        self.logger = logger
        self.onReconcile = onReconcile
        schedule = Schedule(settings: settings)
        journal = EndpointJournal(poller: fleet.poller)
        (restatements, restate) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func run() async throws {
        let effects = follower.effects()
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await batch in effects.cancelOnGracefulShutdown() { await self.apply(batch) }
            }
            group.addTask {
                await cancelWhenGracefulShutdown { await self.takeTicks() }
            }
            group.addTask {
                for await restatement in self.restatements.cancelOnGracefulShutdown() { await self.say(restatement) }
            }
        }
    }

    private func takeTicks() async {
        while !Task.isCancelled {
            guard follower.readiness.letsPollersWork else {
                await clock.pause(Self.recheck)
                continue
            }
            do throws(AMQPError) {
                let subscription = try await consuming.subscribe(to: brokerMap.ticks, prefetch: Self.prefetch)
                try await take(from: subscription)
                await subscription.cancel()
            } catch {
                guard !Task.isCancelled else { return }
                logger.debug("No ticks for the moment", metadata: ["error": "\(error.message)"])
                await clock.pause(Self.recheck)
            }
        }
    }

    private func take(from subscription: Subscription) async throws(AMQPError) {
        var lastWorked = clock.monotonic()
        var deliveries = subscription.makeAsyncIterator()
        while let delivery = try await deliveries.next() {
            if follower.readiness.letsPollersWork {
                lastWorked = clock.monotonic()
                tick()
            }
            subscription.acknowledge(delivery)
            if clock.monotonic() - lastWorked > Self.patience { return }
        }
    }

    private func tick() {
        openJournal()
        fleet.tookTick()
        let now = clock.monotonic()
        reconcileInTime(now)
        dispatch(now)
        restoreSnapshots(now)
    }

    /// Takes in what happened; one that is the scheduler acts on it without waiting for the next tick.
    private func apply(_ effects: [CatalogEffect]) {
        let now = clock.monotonic()
        if follower.readiness.isReady { reconcileInTime(now) }
        var isUrgent = false
        for effect in effects {
            switch effect {
            case .endpointRecordChanged(let id):
                if let view = follower.read({ $0.endpoint(id: id) }) {
                    schedule.update(view, now: now)
                    say(journal.note(view))
                } else {
                    schedule.remove(id)
                    journal.remove(id)
                }
                isUrgent = true
            case .snapshotApplied(let id):
                guard let view = follower.read({ $0.endpoint(id: id) }), let row = view.snapshot?.health else { break }
                if schedule.observe(row, now: now) { fleet.saw(row.poller) }
                say(journal.note(view))
            case .pollRequested(let id), .endpointSuspect(let id):
                schedule.request(id, now: now)
                isUrgent = true
            case .endpointAlive(let id): fleet.sawAlive(id)
            case .pollerCutOff(let poller, let isCutOff): fleet.saw(poller, isCutOff: isCutOff)
            case .catalogRequested: restateEverything(now)
            case .modelsChanged, .operationChanged, .registrationChanged, .keyChanged, .verified, .checkpoint,
                .syncMark, .registrarClock:
                break
            }
        }
        if isUrgent, fleet.isScheduler, follower.readiness.letsPollersWork { dispatch(now) }
    }

    private func reconcileInTime(_ now: Duration) {
        if let lastReconciled, now - lastReconciled < Self.reconcileInterval { return }
        lastReconciled = now
        let ids = Set(follower.read { $0.endpointIDs })
        onReconcile(ids)
        schedule.keep(only: ids)
        journal.keep(only: ids)
        // One by one: the follower's lock is not held while all of them are copied.
        for id in ids {
            guard let view = follower.read({ $0.endpoint(id: id) }) else { continue }
            schedule.update(view, now: now)
            say(journal.note(view))
        }
    }

    private func say(_ line: EndpointJournal.Line?) {
        if let line { logger.log(level: line.level, line.message, metadata: line.metadata) }
    }

    /// The state of the fleet, the first time that the ticks come here. Later, the log has said all changes.
    private func openJournal() {
        guard !fleet.isScheduler else { return }
        let lines = EndpointJournal.opening(follower.read { $0.endpoints })
        for line in hasOpened ? lines.prefix(1) : lines[...] { say(line) }
        hasOpened = true
    }

    private func dispatch(_ now: Duration) {
        let highest = follower.read { $0.highestTick }
        let tick = ticks.next(highest: highest, wallMilliseconds: clock.wallMilliseconds())
        let ids = schedule.takeDue(now: now, tick: tick)
        guard !ids.isEmpty else { return }
        let due = follower.read { catalog in
            ids.compactMap { id in catalog.endpoint(id: id).map(JobBuilder.Due.init) }
        }
        for job in JobBuilder.jobs(due, tick: tick, pollers: fleet.count) {
            do {
                // The confirm is not waited for: a job that is lost is dispatched again, since its rows do not come.
                _ = try publishing.send(
                    Message(type: BrokerMap.MessageType.pollJob, payload: job),
                    to: BrokerMap.exchange(to: brokerMap.polls), routingKey: "")
            } catch {
                logger.debug("A job is not sent", metadata: ["error": "\(error)"])
                schedule.dispatchFailed(job.items.map(\.endpoint), now: now)
            }
        }
    }

    /// While the log is being made anew, it gets the snapshots: its records and checkpoint are the registrar's to announce.
    private func restoreSnapshots(_ now: Duration) {
        let readiness = follower.readiness
        guard readiness.publishInFull else {
            lastRestored = nil
            return
        }
        guard readiness.isCurrent, lastRestored.map({ now - $0 >= Self.restoreInterval }) ?? true else { return }
        lastRestored = now
        restate.yield(.snapshots)
    }

    /// A process that starts has no image that it can use, and the log does not go back far enough.
    private func restateEverything(_ now: Duration) {
        guard fleet.isScheduler, follower.imageProgress != nil,
            lastRestated.map({ now - $0 >= Self.restateInterval }) ?? true
        else { return }
        lastRestated = now
        restate.yield(.everything)
    }

    private func say(_ restatement: Restatement) async {
        // A copy: the follower's lock is not held while the messages are made.
        let catalog = follower.read { copy $0 }
        var rest =
            switch restatement {
            case .everything: catalog.allMessages(from: fleet.poller)[...]
            case .snapshots: catalog.snapshotMessages(from: fleet.poller)[...]
            }
        do throws(AMQPError) {
            while !rest.isEmpty {
                var receipts: [PublishReceipt] = []
                for message in rest.prefix(Self.restateWindow) { receipts.append(try follower.publish(message)) }
                for receipt in receipts { try await receipt.confirmed() }
                rest = rest.dropFirst(receipts.count)
            }
        } catch {
            logger.debug("The catalog is not said once more", metadata: ["error": "\(error.message)"])
        }
    }
}
