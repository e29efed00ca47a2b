import CRabbitMQ
import Catalog
import Foundation
import Testing

@testable import AMQP

/// Users at the broker that may do what `BrokerMap.rights` says and nothing else: all works, and they can break nothing.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct LeastRightsTests {
    @Test(.timeLimit(.minutes(4)))
    func aDeploymentWorksAndItsUsersCanDoNothingElse() async throws {
        try await Deployment.run { deployment in
            let users = BrokerUsers(deployment)
            try await users.make()
            do {
                let gateway = try await works(deployment, users)
                for role in BrokerRights.Role.allCases {
                    let wrong = try Intruder(role: role, map: users.map, url: users.url(role)).wrong()
                    #expect(wrong.isEmpty, "\(role): \(wrong.joined(separator: "; "))")
                }
                #expect(try await gateway.server.models() == ["Org/M"])
                let again = try await gateway.server.send(
                    "POST", "/v0/endpoints", body: #"{"name":"late","base_url":"http://127.0.0.1:9"}"#)
                #expect(again.status == 201, "\(again.text)")
            } catch {
                try await users.delete()
                throw error
            }
            try await users.delete()
        }
    }

    /// From an empty broker on: the processes are started before their queues are there.
    private func works(_ deployment: Deployment, _ users: BrokerUsers) async throws -> Node {
        let fleet = try await deployment.fleet()
        try await fleet.put("gpu", kind: "vllm", models: ["Org/M"])
        try await fleet.hub.putGGUF("Org/M", ["m.gguf": 10])
        let gateway = try await deployment.gateway("gateway", users.setting(.gateway))
        try await eventually("the gateway says what it lacks") {
            try gateway.process.output.contains("rollcall topology apply")
        }
        let registrar = try await deployment.registrar(
            "registrar", users.setting(.registrar).merging(fleet.hub.settings()) { $1 })
        let poller = try await deployment.poller("poller", users.setting(.poller))
        let apply = try await deployment.rollcall(["topology", "apply"], users.setting(.topology))
        #expect(apply.status == 0, "\(apply.output)")
        try await eventually("ready without a restart", within: .seconds(30)) {
            try await gateway.server.get("/readyz").status == 200
        }
        let added = try await gateway.server.send(
            "POST", "/v0/endpoints", body: "{\"name\":\"gpu\",\"base_url\":\"\(fleet.base("gpu"))\"}")
        #expect(added.status == 201, "\(added.text)")
        try await eventually("the model is listed") { try await gateway.server.models() == ["Org/M"] }
        let chat = try await gateway.server.send(
            "POST", "/v1/chat/completions",
            body: #"{"model":"Org/M","max_tokens":2,"messages":[{"role":"user","content":"x"}]}"#)
        #expect(chat.status == 200, "\(chat.text)")
        let key = try await gateway.server.send("POST", "/v0/keys", body: #"{"name":"laptop","scopes":["models"]}"#)
        #expect(key.status == 201, "\(key.text)")
        #expect(try await gateway.register("Org/M").status == 201)
        let verified = try await gateway.server.send("POST", "/v0/models/org/m/verify", body: "{}")
        #expect(verified.status == 200, "\(verified.text)")
        for node in [gateway, registrar, poller] {
            #expect(node.process.isRunning)
            let log = try node.process.output
            let refused = log.split(separator: "\n").filter { $0.contains("ACCESS_REFUSED") }
            #expect(refused.isEmpty, "\(node.process.name) is refused something: \(refused.first ?? "")")
        }
        return gateway
    }

    @Test(.timeLimit(.minutes(1)))
    func aQueueWithOtherArgumentsIsNamedAndLeftAlone() async throws {
        try await Deployment.run { deployment in
            let queue = BrokerMap(namespace: deployment.namespace).polls
            let other = Topology(queues: [Queue(name: queue, arguments: ["x-max-length": .integer(7)])])
            let visit = try TopologyVisit(
                configuration: ConnectionConfiguration(urls: [deployment.broker.url], name: "test"), topology: other)
            #expect(try await visit.apply().map(\.finding) == [.made])
            let missing = try await deployment.rollcall(["topology", "check"])
            #expect(missing.status == 66 && missing.output.contains("missing    queue"), "\(missing.output)")
            let refused = try await deployment.rollcall(["topology", "apply"])
            #expect(refused.status == 73, "\(refused.output)")
            #expect(refused.output.contains("error: the queue \(queue) is there with other properties"))
            #expect(refused.output.contains("rabbitmqctl delete_queue \(queue)"))
            #expect(try await visit.apply().map(\.finding) == [.found], "it is as it was")
            try await deployment.broker.control("delete_queue", queue)
            #expect(try await deployment.rollcall(["topology", "apply"]).status == 0)
            let again = try await deployment.rollcall(["topology", "apply"])
            #expect(again.status == 0 && !again.output.contains("made "), "\(again.output)")
            #expect(try await deployment.rollcall(["topology", "check"]).status == 0)
            let away = try await deployment.rollcall(
                ["topology", "check", "--amqp-url", "amqp://127.0.0.1:1/", "--timeout", "0"])
            #expect(away.status == 69, "\(away.output)")
        }
    }
}

/// The four users of a deployment, with names and a password that no other test has.
private struct BrokerUsers {
    let map: BrokerMap
    private let broker: TestBroker
    private let password = UUID().uuidString

    init(_ deployment: Deployment) {
        map = BrokerMap(namespace: deployment.namespace)
        broker = deployment.broker
    }

    private func name(_ role: BrokerRights.Role) -> String { "\(map.namespace)-\(role.rawValue)" }

    func url(_ role: BrokerRights.Role) -> String { "amqp://\(name(role)):\(password)@127.0.0.1:\(broker.port)/" }

    func setting(_ role: BrokerRights.Role) -> [String: String] { ["ROLLCALL_AMQP_URL": url(role)] }

    func make() async throws {
        for role in BrokerRights.Role.allCases {
            let rights = map.rights(of: role)
            try await broker.control("add_user", name(role), password)
            try await broker.control("set_permissions", name(role), rights.configure, rights.write, rights.read)
        }
    }

    func delete() async throws {
        for role in BrokerRights.Role.allCases { try await broker.control("delete_user", name(role)) }
    }
}

/// Tries everything that a role must not do, over AMQP, with its own credentials.
private struct Intruder {
    let role: BrokerRights.Role
    let map: BrokerMap
    let url: String

    private var queues: [String] { map.topology.queues.map(\.name) }

    /// Said here once more, and not taken from the rights: queues whose exchanges the role publishes to.
    private var publishesTo: Set<String> {
        switch role {
        case .gateway: [map.commands, map.catalog]
        case .poller: [map.ticks, map.polls, map.catalog, map.images]
        case .registrar: [map.commands, map.verifications, map.catalog]
        // Where the commands' dead letters go: who declares that must be able to write there.
        case .topology: [map.dead]
        }
    }

    private var reads: Set<String> {
        switch role {
        case .gateway: [map.catalog, map.images]
        case .poller: [map.ticks, map.polls, map.verifications, map.catalog, map.images]
        case .registrar: [map.commands, map.catalog, map.images]
        // The same: to declare a queue that has dead letters is to be able to read it.
        case .topology: [map.commands]
        }
    }

    /// What was not answered as it should be; nothing where all is well. What may only be refused comes last, since
    /// some of it would break the deployment.
    func wrong() throws -> [String] {
        let handle = try BrokerHandle.open(
            try BrokerURL(url), ConnectionConfiguration(urls: [url], name: "intruder"))
        defer { handle.close(timeout: .seconds(1)) }
        try handle.openChannel(1)
        var wrong: [String] = []
        func expect(_ code: UInt16?, _ what: String, _ refusal: BrokerHandle.Refusal?) {
            if refusal?.code != code { wrong.append("\(what): \(refusal?.text ?? "was done")") }
        }
        for queue in queues {
            // Nothing is bound with this key, so what is let in goes nowhere.
            let allowed: UInt16? = publishesTo.contains(queue) ? nil : 403
            let exchange = BrokerMap.exchange(to: queue)
            expect(allowed, "publish to \(exchange)", try handle.publish(to: exchange, key: "nowhere"))
            expect(403, "publish to \(queue) by the default exchange", try handle.publish(to: "", key: queue))
        }
        for queue in queues where !reads.contains(queue) {
            expect(403, "consume from \(queue)", try handle.consume(from: queue))
            expect(403, "purge \(queue)", try handle.purge(queue))
        }
        for name in queues + ["\(map.namespace).other", ""] where role != .topology || !queues.contains(name) {
            let queue = Queue(name: name, arguments: ["x-queue-type": .string("classic")])
            expect(403, "declare queue \(name)", try handle.declare(queue, channel: 1))
        }
        let other = Exchange(name: "\(map.namespace).other", kind: .direct)
        expect(403, "declare exchange", try handle.declare(other, channel: 1))
        guard role != .topology else { return wrong }
        for queue in queues {
            let own = BrokerMap.exchange(to: queue)
            expect(403, "declare \(own)", try handle.declare(Exchange(name: own, kind: .direct), channel: 1))
            for exchange in queues.map(BrokerMap.exchange(to:)) + ["amq.direct"] {
                let binding = Binding(queue: queue, exchange: exchange, routingKey: "other")
                expect(403, "bind \(queue) to \(exchange)", try handle.bind(binding, channel: 1))
                expect(403, "unbind \(queue) from \(exchange)", try handle.unbind(queue, from: exchange))
                expect(403, "bind \(exchange) to \(own)", try handle.bind(exchange: exchange, to: own))
            }
        }
        for queue in queues {
            expect(403, "delete \(queue)", try handle.delete(queue: queue))
            let exchange = BrokerMap.exchange(to: queue)
            expect(403, "delete \(exchange)", try handle.delete(exchange: exchange))
        }
        return wrong
    }
}

extension BrokerHandle {
    fileprivate func publish(to exchange: String, key: String) throws -> Refusal? {
        try attempt("publish", 1) {
            var properties = amqp_basic_properties_t()
            let sent = amqp_basic_publish(
                connection, 1, memory.bytes(exchange), memory.bytes(key), 0, 0, &properties, memory.bytes("x"))
            // A refused message closes the channel, which shows in the answer to what comes next.
            return sent == 0 ? amqp_confirm_select(connection, 1) : nil
        }
    }

    fileprivate func consume(from queue: String) throws -> Refusal? {
        try attempt("consume", 1) {
            amqp_basic_consume(
                connection, 1, memory.bytes(queue), memory.bytes(""), 0, 0, 0, memory.table([String: FieldValue]()))
        }
    }

    fileprivate func purge(_ queue: String) throws -> Refusal? {
        try attempt("purge", 1) { amqp_queue_purge(connection, 1, memory.bytes(queue)) }
    }

    fileprivate func unbind(_ queue: String, from exchange: String) throws -> Refusal? {
        try attempt("unbind", 1) {
            amqp_queue_unbind(
                connection, 1, memory.bytes(queue), memory.bytes(exchange), memory.bytes(""),
                memory.table([String: FieldValue]()))
        }
    }

    fileprivate func bind(exchange source: String, to destination: String) throws -> Refusal? {
        try attempt("bind", 1) {
            amqp_exchange_bind(
                connection, 1, memory.bytes(destination), memory.bytes(source), memory.bytes("other"),
                memory.table([String: FieldValue]()))
        }
    }

    fileprivate func delete(queue: String) throws -> Refusal? {
        try attempt("delete", 1) { amqp_queue_delete(connection, 1, memory.bytes(queue), 0, 0) }
    }

    fileprivate func delete(exchange: String) throws -> Refusal? {
        try attempt("delete", 1) { amqp_exchange_delete(connection, 1, memory.bytes(exchange), 0) }
    }
}

extension Deployment {
    /// Runs the command-line client to its end.
    fileprivate func rollcall(
        _ arguments: [String], _ own: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        let child = try await start("rollcall", name: "rollcall", own, arguments: arguments)
        let status = await child.exitStatus()
        return (status, try child.output)
    }
}
