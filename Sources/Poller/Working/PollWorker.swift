import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Takes jobs, competing with the other pollers.
struct PollWorker: Service {
    /// Jobs of up to 50 endpoints each, polled side by side: endpoints that hang hold up only the ack of their job.
    static let prefetch = 16
    /// How often it looks whether it may work again.
    private static let recheck = Duration.milliseconds(250)
    private static let probeInterval = Duration.seconds(1)
    private static let probes = 5

    let follower: CatalogFollower
    let consuming: Connection
    let queue: String
    let runner: JobRunner
    let logger: Logger

    private var clock: PollerClock { runner.clock }

    /// A job names all that is needed, but whoever polls must hear of what changes: only with a current catalog, or
    /// with the old one while the log is being made anew.
    private var mayWork: Bool { follower.readiness.letsPollersWork }

    func run() async throws {
        await cancelWhenGracefulShutdown { await work() }
    }

    private func work() async {
        while !Task.isCancelled {
            if await runner.gate.isCutOff {
                await sitOut()
            } else if mayWork {
                await takeJobs()
            } else {
                await clock.pause(Self.recheck)
            }
        }
    }

    private func takeJobs() async {
        do throws(AMQPError) {
            let subscription = try await consuming.subscribe(to: queue, prefetch: Self.prefetch)
            try await subscription.serve(while: { mayWork }, do: { await work(on: $0, from: subscription) })
        } catch {
            guard !Task.isCancelled else { return }
            logger.debug("No jobs for the moment", metadata: ["error": "\(error.message)"])
            await clock.pause(Self.recheck)
        }
    }

    private func work(on delivery: Delivery, from subscription: Subscription) async {
        let job: PollJob
        do {
            job = try delivery.message.payload(PollJob.self)
        } catch {
            logger.warning("A malformed job is dropped", metadata: ["error": "\(error)"])
            subscription.reject(delivery, requeue: false)
            return
        }
        switch await runner.run(job) {
        case .reported: subscription.acknowledge(delivery)
        // Gives back this job and all others.
        case .withheld: await subscription.cancel()
        case .unconfirmed:
            guard !Task.isCancelled else { return }
            // The broker is in trouble; it shall not get the same job and its results in a tight circle.
            await clock.pause(.seconds(1))
            subscription.reject(delivery, requeue: true)
        }
    }
}

extension PollWorker {
    /// Cut off from the endpoints: asks a few that others say are online, until one answers.
    private func sitOut() async {
        logger.warning(
            "Endpoints on several hosts failed and none answered: this poller seems to be cut off, and takes no jobs")
        while !Task.isCancelled, await runner.gate.isCutOff {
            guard runner.fleet.mayHaveOthers else {
                logger.warning("No other poller has reported for a minute: the failures that this one sees count")
                await runner.gate.standAlone()
                return
            }
            await probe()
            if await runner.gate.isCutOff { await clock.pause(Self.probeInterval) }
        }
        if !Task.isCancelled { logger.notice("An endpoint answered: this poller takes jobs again") }
    }

    private func probe() async {
        let online = follower.read { $0.endpoints }.filter { $0.state == .online }
        await withDiscardingTaskGroup { group in
            for view in online.shuffled().prefix(Self.probes) {
                group.addTask {
                    if case .success = await runner.poll(view.record, view.snapshot?.health.kind) {
                        await runner.gate.succeeded()
                    }
                }
            }
        }
    }
}
