import AMQP
import Catalog
import Foundation
import ServiceLifecycle
import TestSupport
import Testing

@testable import Registrar

/// The consumer on a real broker; the stream is a fake one that is complete, or becomes so.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ROLLCALL_TEST_AMQP_URL"] != nil), .timeLimit(.minutes(2)))
struct CommandConsumerTests {
    /// A registrar's consumer, the queues of a namespace of its own, and connections to look at them with.
    struct Rig {
        let map: BrokerMap
        let bench: Bench
        let publishing: Connection
        let consuming: Connection
        let activity = RegistrarActivity()

        /// - Parameter map: the queues of another rig, to look at what it left in them.
        init(map: BrokerMap = BrokerMap(namespace: "t-\(UUID().uuidString.prefix(8).lowercased())")) throws {
            self.map = map
            bench = try Bench()
            let url = try #require(ProcessInfo.processInfo.environment["ROLLCALL_TEST_AMQP_URL"])
            publishing = try Connection(
                configuration: ConnectionConfiguration(urls: [url], name: "registrar tests publish"),
                topology: map.topology, logger: quiet)
            consuming = try Connection(
                configuration: ConnectionConfiguration(urls: [url], name: "registrar tests consume"),
                topology: map.topology, logger: quiet)
        }

        func consumer() throws -> CommandConsumer {
            let patience = Patience(logger: quiet)
            let announcer = Announcer(store: bench.store, stream: bench.stream, patience: patience, logger: quiet)
            let schedule = HubSchedule(interval: .seconds(600))
            return CommandConsumer(
                queue: map.commands, connection: consuming,
                processor: CommandProcessor(
                    announcer: announcer, failpoint: { _ in }, logger: quiet, wallClock: { noon }),
                housekeeper: Housekeeper(
                    announcer: announcer, configured: try ConfiguredEndpoints(""), adopt: false, logger: quiet,
                    wallClock: { noon }),
                accepted: AcceptedCommandRunner(
                    announcer: announcer, hub: FakeHub(), verify: { _, _, _ in }, failpoint: { _ in },
                    schedule: schedule, logger: quiet, wallClock: { noon }),
                numbers: HubNumbers(
                    announcer: announcer, hub: FakeHub(), schedule: schedule, isActive: { true }, logger: quiet,
                    wallClock: { noon }),
                activity: activity, logger: quiet)
        }

        /// Runs `services` while `body` runs, stops them gracefully, and removes the queues.
        func run(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
            let group = ServiceGroup(services: [publishing, consuming] + services, logger: quiet)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                // The connection that declares a queue binds it as well; the other one finds it there, bound or not yet.
                for connection in [publishing, consuming] {
                    for await status in connection.statusUpdates() where status == .connected { break }
                }
                do {
                    try await body()
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }

        func send(_ message: Message) async throws {
            try await publishing.publish(message, to: BrokerMap.exchange(to: map.commands), routingKey: "")
        }

        func removeQueues() async throws { try await BrokerControl.deleteQueues(withPrefix: "\(map.namespace).") }
    }

    /// Waits until `condition` holds; the suite's time limit ends it otherwise.
    static func eventually(_ condition: @Sendable () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test func poisonGoesToTheDeadQueueAndBlocksNobody() async throws {
        let rig = try Rig()
        try await rig.run([rig.consumer()]) {
            try await rig.send(Message(body: Array("{bad".utf8), type: "command", messageID: "bad-json"))
            try await rig.send(Message(body: Array(#"{"id":"x"}"#.utf8), type: "command.v9", messageID: "bad-type"))
            try await rig.send(
                Message(body: [UInt8](repeating: 0, count: 1_000_000), type: "command", messageID: "zeros"))
            try await rig.send(Message(type: "command", payload: command("a", .createEndpoint(draft(1)))))
            let dead = try await rig.consuming.subscribe(to: rig.map.dead, prefetch: 10)
            var reasons: [String] = []
            for try await delivery in dead {
                reasons.append(delivery.message.messageID)
                dead.acknowledge(delivery)
                if reasons.count == 3 { break }
            }
            #expect(Set(reasons) == ["bad-json", "bad-type", "zeros"])
            let stream = rig.bench.stream
            try await Self.eventually { words(stream.published).contains("operation a 201") }
            #expect(words(stream.published).contains("operation x 503"))
        }
        try await rig.removeQueues()
    }

    @Test func commandsAreHeldUntilTheStreamIsReadAndThenExecutedOnce() async throws {
        let rig = try Rig()
        let stream = rig.bench.stream
        stream.edit { $0.view.isCurrent = false }
        try await rig.run([rig.consumer()]) {
            // More than the prefetch: a check that waited for a proposal would never be made.
            for number in 1...80 {
                try await rig.send(
                    Message(type: "command", payload: command("c\(number)", .createEndpoint(draft(number)))))
            }
            try await Self.eventually { rig.activity.isActive }
            #expect(try await rig.bench.store.records().isEmpty)
            #expect(stream.published.isEmpty)
            stream.edit { $0.view.isCurrent = true }
            try await Self.eventually { try await rig.bench.store.state().announced == 80 }
            #expect(try await rig.bench.store.records().count == 80)
        }
        // All were acknowledged: a second consumer gets none of them.
        let next = try Rig(map: rig.map)
        try await next.run([next.consumer()]) {
            try await next.send(Message(type: "command", payload: command("last", .deleteEndpoint(id: uuid(1)))))
            try await Self.eventually { words(next.bench.stream.published).contains("operation last 404") }
            let operations = words(next.bench.stream.published).filter { $0.hasPrefix("operation") }
            #expect(operations == ["operation last 404"])
        }
        try await next.removeQueues()
    }

    @Test func aGracefulStopFinishesWhatIsInHand() async throws {
        let rig = try Rig()
        let stream = rig.bench.stream
        let registry = try await rig.bench.store.state().uuid
        stream.edit {
            $0.view = StreamView(
                isCurrent: true, isComplete: true, registry: registry, incarnation: 0, highestRevision: 0)
        }
        // The first announcement fails; the stop comes while it is waited for.
        stream.edit { $0.failures = [AMQPError(.nacked, "full"), AMQPError(.nacked, "full")] }
        try await rig.run([rig.consumer()]) {
            try await rig.send(Message(type: "command", payload: command("a", .createEndpoint(draft(1)))))
            try await Self.eventually { stream.attempts > 0 }
        }
        let state = try await rig.bench.store.state()
        #expect(state.revision == 1)
        #expect(state.announced == 1)
        try await rig.removeQueues()
    }
}
