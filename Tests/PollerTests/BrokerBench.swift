import AMQP
import Catalog
import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import Poller

/// A catalog with one endpoint and one registration on the broker that `ROLLCALL_TEST_AMQP_URL` names.
final class BrokerBench: Sendable {
    static let url = getenv("ROLLCALL_TEST_AMQP_URL").map { String(cString: $0) }
    static let name = "org/model"

    let map = BrokerMap(namespace: "t-\(UUID().uuidString.prefix(8).lowercased())")
    let consuming: Connection
    let publishing: Connection
    let follower: CatalogFollower
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private init(url: String) throws {
        let wanted = [map.catalog, map.polls, map.verifications]
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

    func publish(_ message: Message, to queue: String) async throws {
        try await publishing.publish(message, to: BrokerMap.exchange(to: queue), routingKey: "")
    }

    func publish(_ message: CatalogMessage) async throws { try await publish(message.encoded(), to: map.catalog) }

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
        for message in messages { try await publish(message) }
    }
}
