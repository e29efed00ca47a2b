import CRabbitMQ
import Foundation
import Synchronization
import Testing

@testable import AMQP

extension BrokerTests {
    @Suite struct TopologyTests {
        private func visit(_ topology: Topology) throws -> TopologyVisit {
            try TopologyVisit(configuration: configuration(try LiveBroker.url), topology: topology)
        }

        @Test func appliedTwiceIsMadeOnce() async throws {
            try await LiveBroker.withNames { names in
                let visit = try visit(names.topology())
                #expect(try await visit.check().map(\.finding) == [.missing, .missing])
                #expect(try await visit.apply().map(\.finding) == [.made, .made, .bound])
                #expect(try await visit.apply().map(\.finding) == [.found, .found, .bound])
                #expect(try await visit.check().map(\.finding) == [.found, .found])
                let other = try self.visit(names.topology(["x-queue-type": .string("classic")]))
                guard case .different(let text) = try await other.apply()[1].finding else {
                    Issue.record("other arguments were taken")
                    return
                }
                #expect(text.contains("x-queue-type"))
                #expect(try await visit.apply()[1].finding == .found)
            }
        }

        @Test func aLostBindingIsMadeAgain() async throws {
            try await LiveBroker.withNames { names in
                try await withConnection(configuration(LiveBroker.url), names.topology()) { connection in
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                    try names.unbind()
                    let receipt = try connection.send(message(), to: names.exchange, routingKey: "k")
                    #expect(await receipt.failure() == .returned)
                    await connection.waitUntilDisconnected()
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                }
            }
        }

        /// A user that may publish and nothing else: it lacks what it finds missing, says so, and works once it is there.
        @Test func whoMayNotDeclareWaits() async throws {
            let user = "u-\(UUID().uuidString.prefix(8))"
            let folder = try #require(LiveBroker.directory)
            try await LiveBroker.run("ctl", folder, "add_user", user, "secret")
            try await LiveBroker.withNames { names in
                let write = "^\(names.exchange.replacing(".", with: "\\."))$"
                try await LiveBroker.run("ctl", folder, "set_permissions", user, "^$", write, "^$")
                var topology = names.topology()
                topology.remedy = "call somebody"
                let events = Mutex<[String]>([])
                var configuration = configuration("amqp://\(user):secret@\(try BrokerURL(LiveBroker.url).address)/")
                configuration.observer = { event in events.withLock { $0.append("\(event)") } }
                try await withConnection(configuration, topology) { connection in
                    let reason = await connection.waitForReason("call somebody")
                    #expect(reason.contains("exchange \(names.exchange) is missing") && !reason.contains(user))
                    #expect(events.withLock { $0.contains { $0.contains("accessRefused") } })
                    _ = try await visit(names.topology()).apply()
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")

                    try names.unbind()
                    let receipt = try connection.send(message(), to: names.exchange, routingKey: "k")
                    #expect(await receipt.failure() == .returned)
                    await connection.waitUntilDisconnected()
                    await connection.waitUntilConnected()
                    #expect(events.withLock { $0.contains { $0.hasPrefix("lacksBinding") } })
                    _ = try await visit(names.topology()).apply()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                }
            }
            try await LiveBroker.run("ctl", folder, "delete_user", user)
        }
    }
}

extension LiveBroker.Names {
    fileprivate func unbind() throws {
        let url = try LiveBroker.url
        let handle = try BrokerHandle.open(try BrokerURL(url), configuration(url))
        try handle.openChannel(1)
        _ = handle.call {
            amqp_queue_unbind(
                handle.connection, 1, handle.memory.bytes(queue), handle.memory.bytes(exchange),
                handle.memory.bytes("k"), handle.memory.table([String: FieldValue]()))
        }
        handle.close(timeout: .seconds(1))
    }
}
