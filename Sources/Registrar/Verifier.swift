import AMQP
import Catalog
import Logging

/// Has a registered model generate something on every endpoint that serves it, through the pollers.
struct Verifier: Sendable {
    /// What a job may wait in the queue, and its result on its way back, besides the generation itself.
    static let margin = Duration.seconds(10)
    /// So many times a job is given out: a poller's death is the broker's matter, this is for a queue that was lost or
    /// was too full.
    static let rounds = 2

    let follower: CatalogFollower
    let publishing: Connection
    let queue: String
    /// Of one generation, in whole.
    let timeout: Duration
    let wallClock: @Sendable () -> Int64
    let logger: Logger

    /// Returns when every endpoint that serves `name` has a result for verification `number` in the catalog.
    ///
    /// - Throws: where the model is not registered, or no endpoint serves it.
    func verify(_ name: String, number: Int64, progress: @Sendable (String) async -> Void) async throws(Rejection) {
        guard var missing = follower.read({ jobs(name, number, in: $0) }) else { throw Rejection.modelNotRegistered }
        guard !missing.isEmpty else { throw Rejection.notServed(name) }
        await progress("verifying on \(missing.count) endpoint\(missing.count == 1 ? "" : "s")")
        for _ in 0..<Self.rounds {
            await send(missing)
            missing = await wait(for: missing)
            if missing.isEmpty || Task.isCancelled { return }
        }
        logger.warning(
            "No poller has verified a model in time: is one running?",
            metadata: ["model": "\(name)", "endpoints": "\(missing.count)"])
        await giveUp(missing)
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

    private func send(_ jobs: [VerifyJob]) async {
        for job in jobs {
            do {
                try await publishing.publish(
                    try Message(type: BrokerMap.MessageType.verifyJob, payload: job),
                    to: BrokerMap.exchange(to: queue), routingKey: "", timeout: Self.margin)
            } catch {
                logger.warning("A verification could not be given out", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Those that have no result after the time that one may take.
    private func wait(for jobs: [VerifyJob]) async -> [VerifyJob] {
        let done: Bool? = await follower.wait(timeout: timeout + Self.margin) { catalog in
            Self.missing(jobs, in: catalog).isEmpty ? true : nil
        }
        return done == true ? [] : follower.read { Self.missing(jobs, in: $0) }
    }

    private static func missing(_ jobs: [VerifyJob], in catalog: borrowing Catalog) -> [VerifyJob] {
        guard let name = jobs.first?.registration, let view = catalog.registration(named: name) else { return [] }
        let done = Set(view.verifications.filter { $0.number >= jobs[0].number }.map(\.endpoint))
        // An endpoint that was changed or removed meanwhile has nothing to say any more.
        return jobs.filter { job in
            !done.contains(job.endpoint.id)
                && catalog.endpoint(id: job.endpoint.id)?.record.generation == job.endpoint.generation
        }
    }

    private func giveUp(_ jobs: [VerifyJob]) async {
        for job in jobs {
            let result = VerifyResult(
                registration: job.registration, number: job.number, endpoint: job.endpoint.id,
                generation: job.endpoint.generation, model: job.model,
                outcome: .timeout,
                error: PollFailure(code: "not_run", message: "no poller has run the generation in time"),
                by: VerifyResult.registrar, at: wallClock())
            do {
                try await follower.publish(.verifyResult(result)).confirmed()
            } catch {
                logger.warning("A verification's result could not be announced", metadata: ["error": "\(error)"])
            }
        }
    }
}
