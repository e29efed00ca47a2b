import AMQP
import Catalog
import Foundation
import ServiceLifecycle
import Synchronization
import Testing

@testable import Registrar

/// Verifications on a real broker and a real stream, with a poller in miniature.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ROLLCALL_TEST_AMQP_URL"] != nil), .timeLimit(.minutes(2)))
struct FleetVerificationTests {
    private static let endpoints = 1...96
    /// As many as a real poller has in work at once, see `Verifier` of the poller.
    private static let prefetch = 16

    private func publishFleet(_ stream: FollowedStream) async throws {
        var messages: [CatalogMessage] = []
        var entries: [CheckpointEntry] = []
        for number in Self.endpoints {
            let record = EndpointRecord(
                id: uuid(number), name: "e\(number)", baseURL: "http://e\(number)", generation: Int64(number),
                revision: Int64(number), createdAt: 1)
            messages.append(.registryChanged(RegistryChange(record)))
            entries.append(CheckpointEntry(kind: .endpoint, id: record.id, revision: record.revision))
            let row = SnapshotRow(
                endpoint: record.id, generation: record.generation, tick: 1, poller: "p1", state: .online,
                observedAt: noon, digest: "d", models: [ModelEntry(id: ModelID("Org/M"), firstSeen: 1)])
            messages.append(.snapshotBatch(SnapshotBatch(poller: "p1", rows: [row])))
        }
        var model = registration("Org/M", commit: "c1")
        model.revision = 500
        messages.append(.registryChanged(RegistryChange(model)))
        entries.append(CheckpointEntry(kind: .registration, id: model.name, revision: model.revision))
        messages += Checkpoint.parts(
            registry: "r", incarnation: 1, revision: 500, entries: entries, madeAt: noon
        ).map { .registryCheckpoint($0) }
        try await stream.publish(messages.map { TracedMessage($0, trace: nil) })
    }

    /// Takes jobs as a poller does, and needs `duration` for each.
    private func poll(_ rig: CommandConsumerTests.Rig, _ follower: CatalogFollower, _ duration: Duration) async throws {
        let subscription = try await rig.consuming.subscribe(to: rig.map.verifications, prefetch: Self.prefetch)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for try await delivery in subscription {
                group.addTask {
                    let job = try delivery.message.payload(VerifyJob.self)
                    try await Task.sleep(for: duration)
                    try await follower.publish(
                        .verifyResult(
                            VerifyResult(
                                registration: job.registration, number: job.number, endpoint: job.endpoint.id,
                                generation: job.endpoint.generation, model: job.model, outcome: .ok, tokens: 2,
                                by: "p1", at: noon))
                    ).confirmed()
                    subscription.acknowledge(delivery)
                }
            }
        }
    }

    @Test("Six rounds of what a poller has in work at once time out nowhere")
    func manyEndpoints() async throws {
        let rig = try CommandConsumerTests.Rig()
        let follower = CatalogFollower(
            brokerMap: rig.map, consuming: rig.consuming, publishing: rig.publishing,
            configuration: CatalogFollower.Configuration(), logger: quiet)
        // All at once would take six times 400 ms, and two rounds of 1 s are over before.
        let verification = FleetVerification(
            follower: follower, publishing: rig.publishing, queue: rig.map.verifications,
            timeout: .milliseconds(500), margin: .milliseconds(500), logger: quiet, wallClock: { noon })
        try await rig.run([follower]) {
            try await publishFleet(FollowedStream(follower: follower))
            let count = Self.endpoints.count
            let isServed = await follower.wait(timeout: .seconds(30)) { catalog in
                catalog.registration(named: "org/m")?.serving.count == count ? true : nil
            }
            #expect(isServed == true)
            let poller = Task { try await poll(rig, follower, .milliseconds(400)) }
            try await verification.verify("org/m", number: 501) { #expect($0 == "verifying on 96 endpoints") }
            poller.cancel()
            let results = follower.read { $0.registration(named: "org/m")?.verifications ?? [] }
            #expect(results.count == count)
            #expect(results.filter { $0.outcome != .ok }.isEmpty)
            try await rig.removeQueues()
        }
    }
}
