import AMQP
import Catalog
import Logging
import ServiceLifecycle

/// Takes verifications, competing with the other pollers.
struct Verifier: Service {
    /// Each holds one connection to an endpoint, for as long as its model takes to load.
    static let prefetch = 16
    /// How often it looks whether it may work again.
    private static let recheck = Duration.milliseconds(250)

    let follower: CatalogFollower
    let consuming: Connection
    let queue: String
    let runner: VerificationRunner
    /// This poller reaches no endpoint: what it found out would be wrong.
    let isCutOff: @Sendable () async -> Bool
    let logger: Logger

    private var clock: PollerClock { runner.clock }

    /// Only with a current catalog can it tell an endpoint that is gone.
    private func mayWork() async -> Bool {
        guard follower.readiness.letsPollersWork else { return false }
        return await !isCutOff()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await work() }
    }

    private func work() async {
        while !Task.isCancelled {
            guard await mayWork() else {
                await clock.pause(Self.recheck)
                continue
            }
            do throws(AMQPError) {
                let subscription = try await consuming.subscribe(to: queue, prefetch: Self.prefetch)
                try await subscription.serve(while: mayWork, do: { await work(on: $0, from: subscription) })
            } catch {
                guard !Task.isCancelled else { return }
                logger.debug("No verifications for the moment", metadata: ["error": "\(error.message)"])
                await clock.pause(Self.recheck)
            }
        }
    }

    private func work(on delivery: Delivery, from subscription: Subscription) async {
        let job: VerifyJob
        do {
            job = try delivery.message.payload(VerifyJob.self)
            guard job.timeoutMilliseconds > 0 else {
                throw MalformedMessage(type: delivery.message.type, reason: "a timeout that is over already")
            }
        } catch {
            logger.warning("A malformed verification is dropped", metadata: ["error": "\(error)"])
            subscription.reject(delivery, requeue: false)
            return
        }
        let fate = await TraceContext.$current.withValue(delivery.message.trace) { await runner.run(job) }
        switch fate {
        case .reported: subscription.acknowledge(delivery)
        case .unconfirmed:
            guard !Task.isCancelled else { return }
            // The broker is in trouble; it shall not get the same job and its result in a tight circle.
            await clock.pause(.seconds(1))
            subscription.reject(delivery, requeue: true)
        }
    }
}
