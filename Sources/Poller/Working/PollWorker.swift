import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Takes jobs, competing with the other pollers, as long as there is credit for more polls.
struct PollWorker: Service {
    /// Jobs that may be unacknowledged. None is for longer than `PollTable.grace`, so with jobs of 50 this is no bound on
    /// polls.
    static let prefetch = 100
    /// How long this poller's catalog may take to catch up with the scheduler's.
    static let catchUp = Duration.seconds(1)
    /// How often it looks whether it may work again.
    private static let recheck = Duration.milliseconds(250)
    private static let probeInterval = Duration.seconds(1)
    private static let probes = 5
    private static let announceInterval = Duration.seconds(10)

    let follower: CatalogFollower
    let consuming: Connection
    let publishing: Connection
    let queue: String
    let engine: PollEngine
    let logger: Logger

    private var clock: PollerClock { engine.clock }

    /// The catalog here has the endpoints' records and snapshots, so it must be current. While the log is made anew, the
    /// old one has them.
    private var mayWork: Bool { follower.readiness.letsPollersWork }

    func run() async throws {
        await cancelWhenGracefulShutdown { await work() }
        engine.stop()
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await keepAnnouncing() }
            while !Task.isCancelled {
                if engine.isCutOff {
                    await sitOut()
                } else if mayWork {
                    await takeJobs(&group)
                } else {
                    await clock.pause(Self.recheck)
                }
            }
        }
    }

    /// The polls are the engine's: they go on if the subscription ends.
    private func takeJobs(_ group: inout DiscardingTaskGroup) async {
        do throws(AMQPError) {
            let subscription = try await consuming.subscribe(to: queue, prefetch: Self.prefetch)
            engine.onCutOff { Task { await subscription.cancel() } }
            defer { engine.onCutOff(nil) }
            var deliveries = subscription.makeAsyncIterator()
            while let delivery = try await deliveries.next(), mayWork, !engine.isCutOff {
                guard let job = job(in: delivery, from: subscription) else { continue }
                let admitted = follower.read { catalog in AdmittedJob(job) { catalog.endpoint(id: $0) } }
                guard await engine.hasCredit(for: admitted.polls.count) else { break }
                engine.admit(
                    admitted.polls,
                    of: .init(
                        severalPollers: job.severalPollers, acknowledge: { subscription.acknowledge(delivery) },
                        giveBack: { giveBack($0, of: job) }))
                if !admitted.unknown.isEmpty { group.addTask { await returnUnknown(admitted.unknown, of: job) } }
            }
            // What was not admitted goes back to the queue.
            await subscription.cancel()
        } catch {
            guard !Task.isCancelled else { return }
            logger.debug("No jobs for the moment", metadata: ["error": "\(error.message)"])
            await clock.pause(Self.recheck)
        }
    }

    private func job(in delivery: Delivery, from subscription: Subscription) -> PollJob? {
        do {
            return try delivery.message.payload(PollJob.self)
        } catch {
            logger.warning("A malformed job is dropped", metadata: ["error": "\(error)"])
            subscription.reject(delivery, requeue: false)
            return nil
        }
    }

    /// The records are on their way: once they are here, or in another poller's hands, the polls can be made.
    private func returnUnknown(_ items: [PollJob.Item], of job: PollJob) async {
        _ = await follower.wait(timeout: Self.catchUp) { catalog -> Bool? in
            items.allSatisfy { item in
                catalog.endpoint(id: item.endpoint).map { $0.record.generation >= item.generation } ?? false
            } ? true : nil
        }
        giveBack(items, of: job)
    }

    /// Puts polls into the queue again. If that fails, the scheduler dispatches them once they are overdue.
    private func giveBack(_ items: [PollJob.Item], of job: PollJob) {
        guard let job = job.returning(items) else { return }
        do {
            _ = try publishing.send(
                Message(type: BrokerMap.MessageType.pollJob, payload: job), to: BrokerMap.exchange(to: queue),
                routingKey: "")
        } catch {
            logger.debug("Polls are not given back", metadata: ["error": "\(error)"])
        }
    }
}

extension PollWorker {
    /// Cut off from the endpoints: asks a few that others say are online, until one answers.
    private func sitOut() async {
        logger.warning(
            "Endpoints on several hosts failed and none answered: this poller seems to be cut off, and takes no jobs")
        announce(isCutOff: true)
        while !Task.isCancelled, engine.isCutOff {
            guard engine.fleet.mayHaveOthers else {
                logger.warning(
                    "No other poller that reaches endpoints has reported for a minute: the failures that this one sees count"
                )
                engine.standAlone()
                return
            }
            await probe()
            if engine.isCutOff { await clock.pause(Self.probeInterval) }
        }
        if !Task.isCancelled { logger.notice("An endpoint answered: this poller takes jobs again") }
    }

    private func probe() async {
        let online = follower.read { $0.unsortedEndpoints }.filter { $0.state == .online }
        await withDiscardingTaskGroup { group in
            for view in online.shuffled().prefix(Self.probes) { group.addTask { await engine.probe(view) } }
        }
    }

    /// Says again that it is cut off, since the others take no notice of a poller that has been silent for a minute, and
    /// says once that it is not any more.
    private func keepAnnouncing() async {
        var said: (isCutOff: Bool, at: Duration) = (false, .zero)
        while !Task.isCancelled {
            let now = clock.monotonic()
            let isCutOff = engine.seesNothing
            if isCutOff != said.isCutOff || isCutOff && now - said.at >= Self.announceInterval {
                announce(isCutOff: isCutOff)
                said = (isCutOff, now)
            }
            await clock.pause(Self.probeInterval)
        }
    }

    private func announce(isCutOff: Bool) {
        do {
            _ = try follower.publish(.pollerCutOff(PollerCutOff(poller: engine.fleet.poller, isCutOff: isCutOff)))
        } catch {
            logger.debug("The others are not told whether this poller is cut off", metadata: ["error": "\(error)"])
        }
    }
}
