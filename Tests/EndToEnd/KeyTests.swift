import AMQP
import Catalog
import Foundation
import Logging
import Testing

/// API keys on real gateways, and a look at everything that goes over the broker meanwhile.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct KeyTests {
    private static let admin = "the-admin-key-of-this-test"
    private let asAdmin = [(name: "X-API-Key", value: KeyTests.admin)]

    private func bearer(_ key: String) -> [(name: String, value: String)] {
        [(name: "Authorization", value: "Bearer \(key)")]
    }

    private func code(_ answer: Answer) throws -> String? { try answer.json()["error"]["code"].string }

    @Test(.timeLimit(.minutes(2)))
    func keysWorkOnEveryGatewayAndAppearNowhere() async throws {
        let seal = Data(repeating: 7, count: 32).base64EncodedString()
        let settings = [
            "ROLLCALL_ADMIN_KEY": Self.admin, "ROLLCALL_SECRET_KEY": seal, "ROLLCALL_LOG_LEVEL": "trace",
        ]
        try await Deployment.run(settings: settings) { deployment in
            let registrar = try await deployment.registrar()
            let poller = try await deployment.poller()
            let one = try await deployment.readyGateway("one")
            let two = try await deployment.readyGateway("two")
            try await withTap(on: deployment) { tap in
                let headers = asAdmin + [(name: "Idempotency-Key", value: "once")]
                let body = #"{"name":"laptop","scopes":["models"],"models":["org/*"]}"#
                let made = try await one.server.send("POST", "/v0/keys", body: body, headers: headers)
                #expect(made.status == 201, "\(made.text)")
                let key = try #require(try made.json()["key"].string)
                let id = try #require(try made.json()["id"].string)
                #expect(key.hasPrefix("rc_"))

                try await eventually("the other gateway knows it") {
                    try await two.server.get("/v1/models", headers: bearer(key)).status == 200
                }
                for gateway in [one, two] {
                    #expect(try await gateway.server.get("/v1/models", headers: bearer(key)).status == 200)
                    #expect(
                        try code(await gateway.server.get("/v0/keys", headers: bearer(key))) == "insufficient_scope")
                    #expect(try code(await gateway.server.get("/v1/models")) == "missing_api_key")
                    #expect(
                        try code(await gateway.server.get("/v1/models", headers: bearer(key + "x")))
                            == "invalid_api_key")
                    let again = try await gateway.server.send("POST", "/v0/keys", body: body, headers: headers)
                    #expect(again.status == 409)
                    #expect(try code(again) == "key_already_issued")
                    let listed = try await gateway.server.get("/v0/keys", headers: asAdmin)
                    #expect(try listed.json()["keys"].array.map { $0["id"].string } == [id])
                    #expect(!listed.text.contains(key))
                }

                #expect(try await two.server.send("DELETE", "/v0/keys/\(id)", headers: asAdmin).status == 204)
                let revoked = ContinuousClock.now
                #expect(try code(await two.server.get("/v1/models", headers: bearer(key))) == "invalid_api_key")
                try await eventually("refused by the other gateway", within: .seconds(1)) {
                    try await one.server.get("/v1/models", headers: bearer(key)).status == 401
                }
                print("refused everywhere \(revoked.duration(to: .now)) after the revocation was answered")

                let messages = try await tap.all(until: id)
                let secret = String(key.dropFirst(KeyRules.prefix.count))
                #expect(messages.contains { $0.contains("createKey") }, "commands are seen")
                #expect(
                    messages.contains { $0.contains("registry.changed") && $0.contains("laptop") }, "and the stream")
                #expect(!messages.contains { $0.contains(secret) || $0.contains(Self.admin) })
                for node in [registrar, poller, one, two] {
                    let log = try node.process.output
                    #expect(log.contains("trace") || log.contains("debug"), "\(node.process.name) has said much")
                    for text in [secret, Self.admin, seal] { #expect(!log.contains(text), "\(node.process.name)") }
                }
                #expect(try one.process.output.contains("Request refused"))
            }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aGatewayThatStartsLaterKnowsWhatIsRevoked() async throws {
        let settings = ["ROLLCALL_ADMIN_KEY": Self.admin, "ROLLCALL_ANONYMOUS_SCOPES": "endpoints:read"]
        try await Deployment.run(settings: settings) { deployment in
            _ = try await deployment.registrar()
            let one = try await deployment.readyGateway("one")
            func make(_ name: String) async throws -> (id: String, key: String) {
                let made = try await one.server.send(
                    "POST", "/v0/keys", body: #"{"name":"\#(name)","scopes":["models"]}"#, headers: asAdmin)
                return (try #require(try made.json()["id"].string), try #require(try made.json()["key"].string))
            }
            let kept = try await make("kept")
            let gone = try await make("gone")
            #expect(try await one.server.send("DELETE", "/v0/keys/\(gone.id)", headers: asAdmin).status == 204)
            let two = try await deployment.readyGateway("two")
            #expect(try await two.server.get("/v1/models", headers: bearer(kept.key)).status == 200)
            #expect(try code(await two.server.get("/v1/models", headers: bearer(gone.key))) == "invalid_api_key")
            #expect(try await two.server.get("/v0/endpoints").status == 200)
            #expect(try await two.server.get("/v1/models").status == 401)
        }
    }

    private func withTap(on deployment: Deployment, _ body: (Tap) async throws -> Void) async throws {
        let tap = try Tap(deployment)
        let running = Task { try await tap.connection.run() }
        defer { running.cancel() }
        try await tap.start()
        try await body(tap)
    }
}

/// Everything that goes over a deployment's broker: a copy of every command, and the catalog stream from its beginning.
private final class Tap: Sendable {
    let connection: Connection
    private let map: BrokerMap
    private let queue: String

    init(_ deployment: Deployment) throws {
        map = BrokerMap(namespace: deployment.namespace)
        queue = "\(deployment.namespace).tap"
        var topology = map.topology
        topology.queues.append(Queue(name: queue, arguments: ["x-queue-type": .string("quorum")]))
        topology.bindings.append(Binding(queue: queue, exchange: BrokerMap.exchange(to: map.commands), routingKey: ""))
        connection = try Connection(
            configuration: ConnectionConfiguration(urls: [deployment.broker.url], name: "tap"), topology: topology,
            logger: Logger(label: "tap", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Returns once commands are copied.
    func start() async throws {
        for await status in connection.statusUpdates() where status == .connected { return }
    }

    /// Each message as text, with its properties: the commands up to the one that revokes the key `id`, the stream up to
    /// what is published now.
    func all(until id: String) async throws -> [String] {
        let mark = UUID().uuidString
        try await connection.publish(
            CatalogMessage.syncMark(SyncMark(id: mark)).encoded(), to: BrokerMap.exchange(to: map.catalog),
            routingKey: "")
        let commands = try await connection.subscribe(to: queue, prefetch: 1000)
        let stream = try await connection.subscribe(
            to: map.catalog, prefetch: 1000, arguments: ["x-stream-offset": .string("first")])
        return try await texts(commands) { $0.contains("revokeKey") && $0.contains(id) }
            + texts(stream) { $0.contains(mark) }
    }

    private func texts(_ subscription: Subscription, until isLast: (String) -> Bool) async throws -> [String] {
        var texts: [String] = []
        for try await delivery in subscription {
            subscription.acknowledge(delivery)
            let message = delivery.message
            texts.append(
                "\(message.type) \(message.messageID) \(message.headers) "
                    + String(decoding: message.body, as: UTF8.self))
            if let last = texts.last, isLast(last) { return texts }
        }
        return texts
    }
}
