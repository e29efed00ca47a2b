import AMQP
import Catalog
import Foundation
import Logging
import Testing

/// What a broker can do to its clients: restart, drop every connection, lose the stream, stop reading; and poison.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct BrokerFaultTests {
    struct Parts: Sendable {
        let fleet: SimulatedFleet
        let processes: [Node]
        let gateway: Node
    }

    private func run(
        _ settings: [String: String] = [:], _ body: @escaping (Deployment, Parts) async throws -> Void
    ) async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "2"].merging(settings) { $1 }) { deployment in
            let fleet = try await deployment.fleet(endpoints: 5)
            let names = try await fleet.truth().map(\.name)
            let registrar = try await deployment.registrar(
                "registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(names)])
            let poller = try await deployment.poller()
            let gateway = try await deployment.readyGateway()
            try await eventually("all are online") {
                try await gateway.server.get("/v0/endpoints?state=online").json()["total"].integer == 5
            }
            try await body(deployment, Parts(fleet: fleet, processes: [registrar, poller, gateway], gateway: gateway))
        }
    }

    /// A change of the fleet is listed, and a write is answered: everything works.
    private func works(_ parts: Parts, _ mark: String, within limit: Duration = .seconds(40)) async throws {
        let first = try #require(try await parts.fleet.truth().first)
        try await parts.fleet.setModels(first.name, [mark])
        try await eventually("a change is listed", within: limit) {
            try await parts.gateway.server.models().contains(mark)
        }
        try await eventually("a write is answered", within: limit) {
            let answer = try await parts.gateway.server.send(
                "POST", "/v0/endpoints", body: #"{"name":"\#(mark)","base_url":"http://127.0.0.1:1/\#(mark)"}"#)
            return answer.status == 201 || answer.status == 409
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func applicationStoppedAndStarted() async throws {
        try await run { deployment, parts in
            let sampler = Sampler()
            let watch = GatewayWatch(parts.gateway)
            try await sampler.during(watch.sample) {
                try await deployment.broker.control("stop_app")
                try await deployment.broker.control("start_app")
                try await works(parts, "after-restart")
            }
            #expect(sampler.violations == [])
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func allConnectionsClosedTenTimes() async throws {
        try await run { deployment, parts in
            let sampler = Sampler()
            let watch = GatewayWatch(parts.gateway)
            try await sampler.during(watch.sample) {
                for _ in 1...10 { try await deployment.broker.control("close_all_connections", "test") }
                try await works(parts, "after-closing")
            }
            #expect(sampler.violations == [])
            let fresh = try await deployment.readyGateway("fresh")
            try await eventually("a fresh gateway has the same list") {
                try await fresh.server.get("/v1/models").body == parts.gateway.server.get("/v1/models").body
            }
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func catalogStreamDeletedWhileAllRun() async throws {
        try await run { deployment, parts in
            let before = try await parts.gateway.server.get("/v1/models")
            let sampler = Sampler()
            let watch = GatewayWatch(parts.gateway)
            try await sampler.during(watch.sample) {
                try await deployment.broker.control(
                    "delete_queue", BrokerMap(namespace: deployment.namespace).catalog)
                try await works(parts, "after-deletion", within: .seconds(60))
                try await eventually("the incarnation is raised", within: .seconds(30)) {
                    let version = try await parts.gateway.server.get("/v1/models").header("X-Catalog-Version")
                    return version?.split(separator: "-").first
                        != before.header("X-Catalog-Version")?.split(separator: "-").first
                }
            }
            #expect(sampler.violations == [])
            let fresh = try await deployment.readyGateway("fresh", within: .seconds(30))
            try await eventually("a fresh gateway has all of it", within: .seconds(20)) {
                try await fresh.server.get("/v1/models").body == parts.gateway.server.get("/v1/models").body
            }
            let endpoints = try await fresh.server.get("/v0/endpoints").json()
            #expect(endpoints["total"].integer == 6)
        }
    }

    /// Without images a process starts from the whole stream. The poller makes their stream anew when the next image is due,
    /// which is within a minute.
    @Test(.timeLimit(.minutes(4)))
    func imageStreamDeletedWhileAllRun() async throws {
        try await run { deployment, parts in
            let images = BrokerMap(namespace: deployment.namespace).images
            func list(_ node: Node) async throws -> [UInt8] { try await node.server.get("/v1/models").body }
            func written() throws -> Int {
                try parts.processes[1].process.output.split(separator: "\n")
                    .count { $0.contains("An image of the catalog is written") }
            }
            try await eventually("an image is written", within: .seconds(20)) { try written() > 0 }
            let early = try await deployment.readyGateway("early")
            #expect(try early.process.output.contains("Starting from an image"))
            try await deployment.broker.control("delete_queue", images)
            let before = try written()
            let without = try await deployment.readyGateway("without")
            #expect(try without.process.output.contains("There is no image of the catalog yet"))
            try await eventually("images are written again", within: .seconds(100)) { try written() > before }
            let late = try await deployment.readyGateway("late")
            #expect(try late.process.output.contains("Starting from an image"))
            try await eventually("all have the same list") {
                let lists = [try await list(parts.gateway), try await list(early), try await list(without)]
                let newest = try await list(late)
                return lists.allSatisfy { $0 == newest }
            }
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func memoryAlarm() async throws {
        try await run { deployment, parts in
            let clock = ContinuousClock()
            let sampler = Sampler()
            let watch = GatewayWatch(parts.gateway)
            try await sampler.during(watch.sample) {
                try await deployment.broker.control("set_vm_memory_high_watermark", "0")
                do {
                    try await eventually("writes are refused", within: .seconds(20)) {
                        let start = clock.now
                        let answer = try await parts.gateway.server.send(
                            "POST", "/v0/endpoints", body: #"{"name":"no","base_url":"http://127.0.0.1:1/no"}"#)
                        #expect(clock.now - start < .seconds(3))
                        return answer.status == 503
                    }
                    let answer = try await parts.gateway.server.send(
                        "POST", "/v0/endpoints", body: #"{"name":"no2","base_url":"http://127.0.0.1:1/no2"}"#)
                    #expect(answer.status == 503)
                } catch {
                    try await deployment.broker.control("set_vm_memory_high_watermark", "0.6")
                    throw error
                }
                try await deployment.broker.control("set_vm_memory_high_watermark", "0.6")
                try await works(parts, "after-alarm")
            }
            #expect(sampler.violations == [])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func poisonGoesToTheDeadQueueAndBlocksNobody() async throws {
        try await run { deployment, parts in
            let map = BrokerMap(namespace: deployment.namespace)
            let connection = try Connection(
                configuration: ConnectionConfiguration(urls: [deployment.broker.url], name: "poison"),
                topology: map.topology, logger: Logger(label: "test"))
            let running = Task { try await connection.run() }
            defer { running.cancel() }
            for await status in connection.statusUpdates() where status == .connected { break }
            let poison = [
                Message(body: Array("{not json".utf8), type: BrokerMap.MessageType.command, messageID: "poison-1"),
                Message(body: Array("{}".utf8), type: "no.such.type", messageID: "poison-2"),
                Message(
                    body: [UInt8](repeating: 0, count: 1 << 20), type: BrokerMap.MessageType.command,
                    messageID: "poison-3"),
            ]
            for message in poison {
                try await connection.publish(message, to: BrokerMap.exchange(to: map.commands), routingKey: "")
            }
            let answer = try await parts.gateway.server.send(
                "POST", "/v0/endpoints", body: #"{"name":"next","base_url":"http://127.0.0.1:1/next"}"#)
            #expect(answer.status == 201)
            let dead = try await connection.subscribe(to: map.dead, prefetch: 10)
            var seen: Set<String> = []
            for try await delivery in dead {
                seen.insert(delivery.message.messageID)
                dead.acknowledge(delivery)
                if seen.count == poison.count { break }
            }
            #expect(seen == Set(poison.map(\.messageID)))
            #expect(parts.processes.allSatisfy { $0.process.isRunning })
        }
    }
}
