import AMQP
import Catalog
import Curl
import Dispatch
import Foundation
import Glibc
import Logging
import Synchronization
import TestSupport
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
                Message(body: Array("{}".utf8), type: BrokerMap.MessageType.verifyJob, messageID: "poison"))
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

/// A catalog with one endpoint and one registration on the broker that `ROLLCALL_TEST_AMQP_URL` names.
private final class BrokerBench: Sendable {
    static let url = getenv("ROLLCALL_TEST_AMQP_URL").map { String(cString: $0) }
    static let name = "org/model"

    private let map = BrokerMap(namespace: "t-\(UUID().uuidString.prefix(8).lowercased())")
    private let consuming: Connection
    private let publishing: Connection
    private let follower: CatalogFollower
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private init(url: String) throws {
        let wanted = [map.catalog, map.verifications]
        let topology = Topology(
            exchanges: wanted.map { Exchange(name: BrokerMap.exchange(to: $0), kind: .direct) },
            queues: map.topology.queues.filter { wanted.contains($0.name) },
            bindings: map.topology.bindings.filter { wanted.contains($0.queue) })
        consuming = try Connection(
            configuration: ConnectionConfiguration(urls: [url], name: "\(map.namespace)-consume"), topology: topology,
            logger: logger)
        publishing = try Connection(
            configuration: ConnectionConfiguration(urls: [url], name: "\(map.namespace)-publish"), topology: topology,
            logger: logger)
        follower = CatalogFollower(
            brokerMap: map, consuming: consuming, publishing: publishing, configuration: .init(), logger: logger)
    }

    /// Runs `body` once the catalog is there, and deletes the queues afterwards.
    static func run(_ body: (BrokerBench) async throws -> Void) async throws {
        let bench = try BrokerBench(url: try #require(url))
        let running = Task {
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await bench.consuming.run() }
                group.addTask { try await bench.publishing.run() }
                group.addTask { try await bench.follower.run() }
            }
        }
        let outcome: Result<Void, any Error>
        do {
            for await status in bench.publishing.statusUpdates() where status == .connected { break }
            try await bench.fill()
            try await body(bench)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        await running.value
        try await BrokerControl.deleteQueues(withPrefix: "\(bench.map.namespace).")
        try outcome.get()
    }

    func verifier(_ poller: String, _ endpoint: AskedEndpoint) -> Task<Void, Never> {
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

    func publish(_ message: Message) async throws {
        try await publishing.publish(message, to: BrokerMap.exchange(to: map.verifications), routingKey: "")
    }

    func publish(number: Int64) async throws {
        let job = VerifyJob(
            registration: Self.name, number: number, endpoint: Samples.endpoint("e"), model: ModelID("m"),
            timeoutMilliseconds: 20_000)
        try await publish(Message(type: BrokerMap.MessageType.verifyJob, payload: job))
    }

    func result(_ number: Int64) async -> VerifyResult? {
        await follower.wait(timeout: .seconds(30)) { catalog in
            catalog.registration(named: Self.name)?.verifications.first { $0.number == number }
        }
    }

    private func fill() async throws {
        let manifest = Manifest(
            name: Self.name, repo: Self.name, commit: "c", format: .gguf, quantization: nil, sizeBytes: nil, files: [],
            createdAt: "2026-11-22T20:00:00Z", digest: "sha256:0")
        let registration = RegistrationRecord(
            name: Self.name, repo: Self.name, requestedRevision: "main", commit: "c", format: .gguf, manifest: manifest,
            hub: HubInfo(downloads: nil, likes: nil, lastModified: nil, fetchedAt: 0), generation: 2, revision: 2,
            createdAt: 0)
        let checkpoint = CheckpointPart(
            registry: "r", incarnation: 1, revision: 2, part: 0, parts: 1,
            entries: [
                CheckpointEntry(kind: .endpoint, id: "e", revision: 1),
                CheckpointEntry(kind: .registration, id: Self.name, revision: 2),
            ], madeAt: 1000)
        let messages: [CatalogMessage] = [
            .registryChanged(RegistryChange(Samples.endpoint("e"))), .registryChanged(RegistryChange(registration)),
            .snapshotBatch(SnapshotBatch(poller: "p1", rows: [Samples.row("e", tick: 1)])),
            .registryCheckpoint(checkpoint),
        ]
        for message in messages {
            try await publishing.publish(message.encoded(), to: BrokerMap.exchange(to: map.catalog), routingKey: "")
        }
    }
}
