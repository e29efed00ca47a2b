import AMQP
import Catalog
import Synchronization
import TestSupport
import Testing

@testable import Poller

/// Against a real broker, in a namespace of its own.
@Suite(.enabled(if: BrokerBench.url != nil), .timeLimit(.minutes(2)))
struct PollWorkerBrokerTests {
    /// The job overtakes the record, as it may: they come by two queues.
    @Test func aPollOfAnUnknownGenerationIsMadeOnceItsRecordIsThere() async throws {
        try await BrokerBench.run { bench in
            let polled = Mutex<[EndpointRecord]>([])
            let isTaken = Event()
            let worker = bench.worker { endpoint in
                polled.withLock { $0.append(endpoint) }
                isTaken.happen()
            }
            let record = Samples.endpoint("late", generation: 7)
            try await bench.publish(bench.job(tick: 9, ["late": 7, "e": 1]), to: bench.map.polls)
            await isTaken.wait()
            try await bench.publish(.registryChanged(RegistryChange(record)))
            let row = await bench.follower.wait(timeout: .seconds(30)) { catalog in
                catalog.endpoint(id: "late")?.snapshot?.health
            }
            #expect(row?.tick == 9 && row?.generation == 7)
            #expect(polled.withLock { $0.map(\.id) }.sorted() == ["e", "late"])
            worker.cancel()
            await worker.value
        }
    }

    /// Nothing is lost, and nothing goes round in a tight circle: each return takes as long as a catalog may be behind.
    @Test func aPollThatStaysUnknownIsLeftToAnotherPoller() async throws {
        try await BrokerBench.run { bench in
            let worker = bench.worker { _ in Issue.record("polled") }
            let start = ContinuousClock.now
            let job = try bench.job(tick: 9, ["unseen": 7])
            try await bench.publish(job, to: bench.map.polls)
            let other = try await bench.consuming.subscribe(to: bench.map.polls, prefetch: 1)
            var returned: PollJob?
            for try await delivery in other {
                other.acknowledge(delivery)
                let job = try delivery.message.payload(PollJob.self)
                // The broker may have dealt it to this one first.
                guard job.returns > 0 else {
                    try await bench.publish(delivery.message, to: bench.map.polls)
                    continue
                }
                returned = job
                break
            }
            #expect(returned?.items == [PollJob.Item(endpoint: "unseen", generation: 7)])
            #expect(returned?.tick == 9 && returned?.severalPollers == true)
            #expect(ContinuousClock.now - start >= PollWorker.catchUp * (returned?.returns ?? 0))
            worker.cancel()
            await worker.value
        }
    }
}

extension BrokerBench {
    fileprivate func job(tick: Int64, _ items: [String: Int64]) throws -> Message {
        let job = PollJob(
            tick: tick, severalPollers: true,
            items: items.map { PollJob.Item(endpoint: $0.key, generation: $0.value) })
        return try Message(type: BrokerMap.MessageType.pollJob, payload: job)
    }

    /// A worker whose endpoints all answer with one model.
    fileprivate func worker(_ polled: @escaping @Sendable (EndpointRecord) -> Void) -> Task<Void, Never> {
        let clock = PollerClock.live()
        let engine = PollEngine(
            fleet: Fleet(poller: "me", clock: clock), clock: clock, interval: .seconds(10),
            credit: PollCredit(limit: 100),
            memory: MemorySurvey(clock: clock) { _ in nil }, logger: logger,
            poll: { item, _, completion in
                polled(item.endpoint)
                completion(.success(.init(kind: .openai, models: [Samples.model("m")], latencyMilliseconds: 1)))
            },
            publishesInFull: { false },
            publish: { [follower] in try await follower.publish(.snapshotBatch($0)).confirmed() })
        let worker = PollWorker(
            follower: follower, consuming: consuming, publishing: publishing, queue: map.polls, engine: engine,
            logger: logger)
        return Task {
            do { try await worker.run() } catch { Issue.record(error) }
        }
    }
}
