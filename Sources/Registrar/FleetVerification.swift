import AMQP
import Catalog
import Logging
import Synchronization

/// Has a registered model generate something on every endpoint that serves it, through the pollers.
///
/// No more jobs are out at once than pollers can have in work, of all verifications together. A job in the queue waits
/// with its time running, and the queue drops what has waited for 30 s.
final class FleetVerification: Sendable {
    /// Jobs that each poller has in work at once.
    private static let jobsPerPoller = 16
    /// So many times a job is given out: a poller's death is the broker's matter, this is for a queue that was lost.
    private static let rounds = 2
    /// How long the number of pollers counts once it was looked up.
    private static let memory = Duration.seconds(5)

    private let follower: CatalogFollower
    private let publishing: Connection
    private let queue: String
    /// Of one generation, in whole.
    private let timeout: Duration
    /// What a job may wait in the queue, and its result on its way back, besides the generation itself.
    private let margin: Duration
    private let wallClock: @Sendable () -> Int64
    private let logger: Logger
    private let window = TransferSlots(count: jobsPerPoller)
    private let pollersSeenAt = Mutex<ContinuousClock.Instant?>(nil)

    init(
        follower: CatalogFollower, publishing: Connection, queue: String, timeout: Duration,
        margin: Duration = .seconds(10), logger: Logger, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.follower = follower
        self.publishing = publishing
        self.queue = queue
        self.timeout = timeout
        self.margin = margin
        self.logger = logger
        self.wallClock = wallClock
    }

    /// Returns when every endpoint that serves `name` has a result for verification `number` in the catalog.
    ///
    /// - Throws: where the model is not registered, or no endpoint serves it.
    func verify(_ name: String, number: Int64, progress: @Sendable (String) async -> Void) async throws(Rejection) {
        guard let jobs = follower.read({ jobs(name, number, in: $0) }) else { throw Rejection.modelNotRegistered }
        guard !jobs.isEmpty else { throw Rejection.notServed(name) }
        await progress("verifying on \(jobs.count) endpoint\(jobs.count == 1 ? "" : "s")")
        let missing = await withTaskGroup(of: Bool.self) { group in
            for job in jobs {
                fitWindow()
                guard await window.acquire() else { break }
                group.addTask {
                    defer { self.window.release() }
                    return await self.run(job)
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 0 : 1) }
        }
        guard missing > 0, !Task.isCancelled else { return }
        logger.warning(
            "No poller has verified a model in time: is one running?",
            metadata: ["model": "\(name)", "endpoints": "\(missing)"])
    }

    /// One for each endpoint, under the first id that it lists the model by; nil where the model is not registered.
    private func jobs(_ name: String, _ number: Int64, in catalog: borrowing Catalog) -> [VerifyJob]? {
        guard let view = catalog.registration(named: name) else { return nil }
        var seen: Set<String> = []
        return view.serving.filter { seen.insert($0.endpoint).inserted }.compactMap { serving in
            catalog.endpoint(id: serving.endpoint).map { endpoint in
                VerifyJob(
                    registration: view.record.name, number: number, endpoint: endpoint.record, model: serving.model,
                    timeoutMilliseconds: Int(timeout / .milliseconds(1)))
            }
        }
    }

    private func fitWindow() {
        let isOld = pollersSeenAt.withLock { seenAt in
            guard seenAt.map({ $0 + Self.memory < .now }) ?? true else { return false }
            seenAt = .now
            return true
        }
        guard isOld else { return }
        window.setCount(Self.jobsPerPoller * max(1, follower.read { $0.pollers.count }))
    }

    /// Whether the catalog has a result of `job` in the end. Where no poller has one, the registrar says so itself.
    private func run(_ job: VerifyJob) async -> Bool {
        for _ in 0..<Self.rounds {
            await send(job)
            let isDone: Bool? = await follower.wait(timeout: timeout + margin) { catalog in
                Self.isDone(job, in: catalog) ? true : nil
            }
            if isDone == true || Task.isCancelled { return true }
        }
        await giveUp(job)
        return false
    }

    private func send(_ job: VerifyJob) async {
        do {
            try await publishing.publish(
                try Message(type: BrokerMap.MessageType.verifyJob, payload: job),
                to: BrokerMap.exchange(to: queue), routingKey: "", timeout: margin)
        } catch {
            logger.warning("A verification could not be given out", metadata: ["error": "\(error)"])
        }
    }

    /// An endpoint that was changed or removed meanwhile has nothing to say any more.
    private static func isDone(_ job: VerifyJob, in catalog: borrowing Catalog) -> Bool {
        let result = catalog.verification(of: job.registration, on: job.endpoint.id)
        return result.map { $0.number >= job.number } ?? false
            || catalog.endpoint(id: job.endpoint.id)?.record.generation != job.endpoint.generation
    }

    private func giveUp(_ job: VerifyJob) async {
        let result = VerifyResult(
            registration: job.registration, number: job.number, endpoint: job.endpoint.id,
            generation: job.endpoint.generation, model: job.model, outcome: .timeout,
            error: PollFailure(code: "not_run", message: "no poller has run the generation in time"),
            by: VerifyResult.registrar, at: wallClock())
        do {
            try await follower.publish(.verifyResult(result)).confirmed()
        } catch {
            logger.warning("A verification's result could not be announced", metadata: ["error": "\(error)"])
        }
    }
}
