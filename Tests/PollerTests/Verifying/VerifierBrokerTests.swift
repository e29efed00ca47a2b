import AMQP
import Catalog
import Curl
import Synchronization
import Testing

@testable import Poller

/// Against a real broker, in a namespace of its own.
@Suite(.enabled(if: BrokerBench.url != nil), .timeLimit(.minutes(2)))
struct VerifierBrokerTests {
    @Test func whatIsUnfinishedAtAStopIsDoneByAnotherAndNothingTwice() async throws {
        try await BrokerBench.run { bench in
            let hanging = AskedEndpoint(hangs: true)
            let first = bench.verifier("first", hanging)
            try await bench.publish(
                Message(body: Array("{}".utf8), type: BrokerMap.MessageType.verifyJob, messageID: "poison"),
                to: bench.map.verifications)
            try await bench.publish(number: 3)
            for await _ in hanging.asked { break }
            first.cancel()
            await first.value

            let second = bench.verifier("second", AskedEndpoint())
            try await bench.publish(number: 4)
            #expect(await bench.result(4)?.by == "second")
            second.cancel()
            await second.value

            let endpoint = AskedEndpoint()
            let third = bench.verifier("third", endpoint)
            try await bench.publish(number: 5)
            let result = await bench.result(5)
            #expect(result?.by == "third" && result?.outcome == .ok && result?.text == "Hello")
            third.cancel()
            await third.value
            #expect(endpoint.count == 1, "the others were acknowledged")
        }
    }
}

/// Says hello, or nothing until it is cancelled.
private final class AskedEndpoint: GenerationTransport {
    let asked: AsyncStream<Void>
    private let asking: AsyncStream<Void>.Continuation
    private let hangs: Bool
    private let requests = Mutex(0)
    var count: Int { requests.withLock { $0 } }

    init(hangs: Bool = false) {
        self.hangs = hangs
        (asked, asking) = AsyncStream.makeStream()
    }

    func post(
        _ url: String, body: [UInt8], key: String?, timeout: Duration
    ) async throws(HTTPError) -> EndpointAnswer {
        requests.withLock { $0 += 1 }
        asking.yield()
        if hangs {
            do { try await Task.sleep(for: .seconds(60)) } catch { throw HTTPError(.cancelled, "stopping") }
        }
        return EndpointAnswer(status: 200, body: Array(#"{"choices":[{"message":{"content":"Hello"}}]}"#.utf8))
    }
}

extension BrokerBench {
    fileprivate func verifier(_ poller: String, _ endpoint: AskedEndpoint) -> Task<Void, Never> {
        let runner = VerificationRunner(
            poller: poller, clock: .live(), transport: endpoint, keys: EndpointKeys(keyRing: nil),
            endpoint: { [follower] id in follower.read { $0.endpoint(id: id)?.record } },
            result: { [follower] name, _ in follower.read { $0.registration(named: name)?.verifications.first } },
            publish: { [follower] in try await follower.publish(.verifyResult($0)).confirmed() })
        let verifier = Verifier(
            follower: follower, consuming: consuming, queue: map.verifications, runner: runner, isCutOff: { false },
            logger: logger)
        return Task {
            do { try await verifier.run() } catch { Issue.record(error) }
        }
    }

    fileprivate func publish(number: Int64) async throws {
        let job = VerifyJob(
            registration: Self.name, number: number, endpoint: Samples.endpoint("e"), model: ModelID("m"),
            timeoutMilliseconds: 20_000)
        try await publish(Message(type: BrokerMap.MessageType.verifyJob, payload: job), to: map.verifications)
    }

    fileprivate func result(_ number: Int64) async -> VerifyResult? {
        await follower.wait(timeout: .seconds(30)) { catalog in
            catalog.registration(named: Self.name)?.verifications.first { $0.number == number }
        }
    }
}
