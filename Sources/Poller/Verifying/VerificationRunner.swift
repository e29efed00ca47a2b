import Catalog
import Curl

/// Does one verification: a generation on an endpoint, and what came of it into the catalog.
struct VerificationRunner: Sendable {
    enum Fate: Sendable, Hashable {
        /// The result is in the stream, or was there already: the job is done.
        case reported
        /// The broker did not confirm the result, or the poller is stopping: the job must be done again.
        case unconfirmed
    }

    /// What a job's own time may come to; a number beyond it is a mistake that would hold the job for ever.
    static let longestTimeout = Duration.seconds(600)

    let poller: String
    let clock: PollerClock
    let transport: any GenerationTransport
    let keys: EndpointKeys
    /// What the catalog holds of the job's endpoint: nil where it is gone.
    let endpoint: @Sendable (_ id: String) -> EndpointRecord?
    /// The newest result held of a registration on an endpoint.
    let result: @Sendable (_ registration: String, _ endpoint: String) -> VerifyResult?
    /// Returns once the broker has confirmed.
    let publish: @Sendable (VerifyResult) async throws -> Void

    func run(_ job: VerifyJob) async -> Fate {
        if isDone(job) { return .reported }
        let result = await verify(job)
        if Task.isCancelled { return .unconfirmed }
        do {
            try await publish(result)
            return .reported
        } catch {
            return .unconfirmed
        }
    }

    /// The job came back although its result, or one of a later job, came through. The registrar's own, that nobody had
    /// done it in time, does not count.
    private func isDone(_ job: VerifyJob) -> Bool {
        guard let held = result(job.registration, job.endpoint.id) else { return false }
        return held.number > job.number || held.number == job.number && held.by != VerifyResult.registrar
    }

    private func verify(_ job: VerifyJob) async -> VerifyResult {
        var result = VerifyResult(
            registration: job.registration, number: job.number, endpoint: job.endpoint.id,
            generation: job.endpoint.generation, model: job.model, outcome: .error, by: poller, at: 0)
        // The catalog may also be a moment behind the registrar's; a newer record than the one held is no mistake.
        if let held = endpoint(job.endpoint.id), held.generation <= job.endpoint.generation {
            await generate(job, into: &result)
        } else {
            result.error = PollFailure(
                code: "endpoint_changed", message: "the endpoint was changed or removed since it was to be verified")
        }
        result.at = clock.wallMilliseconds()
        return result
    }

    private func generate(_ job: VerifyJob, into result: inout VerifyResult) async {
        let timeout = min(.milliseconds(job.timeoutMilliseconds), Self.longestTimeout)
        let start = clock.monotonic()
        do {
            let key = try keys.key(of: job.endpoint)
            let answer = try await transport.post(
                APIRoot.url(Generation.path, below: job.endpoint.baseURL), body: Generation.request(job.model),
                key: key,
                timeout: timeout)
            result.latencyMilliseconds = Int((clock.monotonic() - start).milliseconds)
            let success = try Generation.read(answer, key: key)
            result.outcome = .ok
            result.tokens = success.tokens
            result.text = success.text
        } catch let error as Generation.Failure {
            result.error = PollFailure(code: error.code, message: error.message)
        } catch let error as PollError {
            result.error = error.failure
        } catch let error as HTTPError where error.code == .timeout || error.code == .connectTimeout {
            result.outcome = .timeout
            result.latencyMilliseconds = Int((clock.monotonic() - start).milliseconds)
            result.error = PollFailure(code: error.code.description, message: error.message)
        } catch let error as HTTPError {
            result.error = PollFailure(code: error.code.description, message: error.message)
        } catch {
            result.error = PollFailure(code: "invalid_model", message: "the model's id cannot be sent")
        }
    }
}
