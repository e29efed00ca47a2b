import Foundation
import Testing

/// What is served while others are away: a catalog is never emptied by that, and a new gateway has all of it.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct OutageTests {
    /// A registrar, a poller, and a gateway that lists the models of `count` endpoints.
    private func start(
        _ deployment: Deployment, endpoints count: Int
    ) async throws -> (registrar: Node, poller: Node, gateway: Node, fleet: SimulatedFleet) {
        let fleet = try await deployment.fleet(endpoints: count)
        let names = try await fleet.truth().map(\.name)
        let registrar = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(names)])
        let poller = try await deployment.poller()
        let gateway = try await deployment.readyGateway()
        try await eventually("all are online") {
            try await gateway.server.get("/v0/endpoints?state=online").json()["total"].integer == count
        }
        return (registrar, poller, gateway, fleet)
    }

    private func body(_ node: Node) async throws -> [UInt8] { try await node.server.get("/v1/models").body }

    /// Starts a gateway and gives the time until it answered with the list.
    private func timeToServe(_ deployment: Deployment, _ name: String, like expected: [UInt8]) async throws -> Duration
    {
        let clock = ContinuousClock()
        let start = clock.now
        let fresh = try await deployment.gateway(name)
        try await eventually("\(name) serves") { try await fresh.server.get("/v1/models").status == 200 }
        let took = clock.now - start
        #expect(try await body(fresh) == expected)
        return took
    }

    @Test(.timeLimit(.minutes(4)))
    func freshGatewayNeedsNeitherPollerNorRegistrar() async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "2"]) { deployment in
            let (registrar, poller, gateway, _) = try await start(deployment, endpoints: 20)
            let list = try await body(gateway)
            try await eventually("an image is written") {
                try poller.process.output.contains("An image of the catalog is written")
            }
            #expect(await poller.process.stop() == 0)
            #expect(await registrar.process.stop() == 0)
            #expect(try await timeToServe(deployment, "fresh", like: list) < .seconds(3))
            #expect(try await body(gateway) == list)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func brokerStoppedAndStartedAgain() async throws {
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "2"]) { deployment in
            let (_, _, gateway, fleet) = try await start(deployment, endpoints: 5)
            let list = try await body(gateway)
            let watch = GatewayWatch(gateway)
            let sampler = Sampler()
            try await sampler.during(watch.sample) {
                try await deployment.broker.control("stop_app")
                do {
                    try await self.whileTheBrokerIsAway(gateway, list: list)
                } catch {
                    try await deployment.broker.control("start_app")
                    throw error
                }
                try await deployment.broker.control("start_app")

                try await eventually("a write works again", within: .seconds(40)) {
                    let answer = try await gateway.server.send(
                        "POST", "/v0/endpoints", body: #"{"name":"later","base_url":"\#(fleet.base("later"))"}"#)
                    return answer.status == 201 || answer.status == 409
                }
                let model = "only-after-the-outage"
                let first = try #require(try await fleet.truth().first)
                try await fleet.setModels(first.name, [model])
                try await eventually("a change is listed", within: .seconds(20)) {
                    try await gateway.server.models().contains(model)
                }
                try await eventually("the age is small again") { try await self.age(gateway) < 5 }
            }
            #expect(sampler.violations == [])
        }
    }

    private func age(_ node: Node) async throws -> Double {
        let text = try await node.server.get("/v1/models").header("X-Catalog-Age")
        return try #require(text.flatMap { Double($0) })
    }

    private func whileTheBrokerIsAway(_ gateway: Node, list: [UInt8]) async throws {
        let clock = ContinuousClock()
        let before = try await age(gateway)
        try await eventually("the age grows") { try await self.age(gateway) >= before + 3 }
        #expect(try await body(gateway) == list)
        #expect(try await gateway.server.get("/readyz").status == 200)
        for _ in 1...3 {
            let start = clock.now
            let answer = try await gateway.server.send(
                "POST", "/v0/endpoints", body: #"{"name":"lost","base_url":"http://127.0.0.1:1"}"#)
            #expect(answer.status == 503)
            let code = try answer.json()["error"]["code"].string
            #expect(code == "broker_unavailable" || code == "outcome_unknown")
            #expect(answer.header("Retry-After") != nil)
            #expect(clock.now - start < .seconds(2))
        }
    }
}
