import AMQP
import Catalog
import Foundation
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
            try await withTap(on: deployment) {
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

                let messages = try await messages(of: deployment, until: id)
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

    /// Queue of copies of every command.
    private func tap(_ deployment: Deployment) -> String { "\(deployment.namespace).tap" }

    /// Runs `body` while each command is copied.
    private func withTap(on deployment: Deployment, _ body: () async throws -> Void) async throws {
        var topology = BrokerMap(namespace: deployment.namespace).topology
        let commands = BrokerMap.exchange(to: BrokerMap(namespace: deployment.namespace).commands)
        topology.queues.append(Queue(name: tap(deployment), arguments: ["x-queue-type": .string("quorum")]))
        topology.bindings.append(Binding(queue: tap(deployment), exchange: commands, routingKey: ""))
        try await deployment.withConnection(topology) { _, _ in try await body() }
    }

    /// Each message as text, with its properties: the commands up to the one that revokes the key `id`, the stream up to
    /// what is published now.
    private func messages(of deployment: Deployment, until id: String) async throws -> [String] {
        let commands = try await deployment.withConnection { connection, _ in
            try await connection.subscribe(to: tap(deployment), prefetch: 1000)
                .messages { Self.text($0).contains("revokeKey") && Self.text($0).contains(id) }
        }
        return (commands + (try await deployment.streamed())).map(Self.text)
    }

    private static func text(_ message: Message) -> String {
        "\(message.type) \(message.messageID) \(message.headers) " + String(decoding: message.body, as: UTF8.self)
    }
}
