import Foundation
import Testing

/// A fleet of 200 endpoints that changes all the time, seen through two gateways.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct FleetTests {
    @Test(.timeLimit(.minutes(5)))
    func gatewaysAgreeWithEachOtherAndWithTheFleet() async throws {
        let interval = 5
        try await Deployment.run(settings: ["ROLLCALL_POLL_INTERVAL": "\(interval)"]) { deployment in
            let fleet = try await deployment.fleet(endpoints: 200, arguments: ["--churn", "20", "--seed", "7"])
            let names = try await fleet.truth().map(\.name)
            #expect(names.count == 200)
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(names)])
            for number in 1...3 { _ = try await deployment.poller("poller-\(number)") }
            let gateways = [
                try await deployment.readyGateway("gateway-1"), try await deployment.readyGateway("gateway-2"),
            ]
            try await eventually("every endpoint has been polled", within: .seconds(30)) {
                let answer = try await gateways[0].server.get("/v0/endpoints?state=online").json()
                return answer["total"].integer == 200
            }

            let watches = gateways.map(GatewayWatch.init)
            let samplers = [Sampler(), Sampler()]
            try await fleet.churn(true)
            try await fleet.resetCounters()
            try await samplers[0].during(watches[0].sample) {
                try await samplers[1].during(watches[1].sample) { try await Task.sleep(for: .seconds(60)) }
            }
            let polled = try await fleet.truth()
            try await fleet.churn(false)
            for sampler in samplers {
                #expect(sampler.violations == [])
                #expect(sampler.samples > 200)
            }
            let expected = 60.0 / Double(interval)
            let counts = polled.map(\.polls.count)
            #expect(
                counts.allSatisfy { (expected * 0.8...expected * 1.2).contains(Double($0)) },
                "polls of each endpoint in 60 s: \(Set(counts).sorted())")

            try await agree(gateways, with: fleet, within: .seconds(3 * interval))
        }
    }

    /// Byte-equal bodies and ETags, and what the fleet itself says.
    private func agree(_ gateways: [Node], with fleet: SimulatedFleet, within limit: Duration) async throws {
        var endpointsOfModel: [String: Set<String>] = [:]
        for endpoint in try await fleet.truth() {
            for model in endpoint.models { endpointsOfModel[model, default: []].insert(endpoint.name) }
        }
        let wanted = endpointsOfModel
        let answers = try await eventually("the gateways agree with the fleet", within: limit) { () -> [Answer]? in
            var answers: [Answer] = []
            for gateway in gateways { answers.append(try await gateway.server.get("/v1/models")) }
            let agrees = try answers.allSatisfy { answer in
                let data = try answer.json()["data"].array
                let listed = Dictionary(
                    data.map { ($0["id"].string ?? "", Set($0["endpoints"].array.compactMap(\.string))) },
                    uniquingKeysWith: { first, _ in first })
                return data.count == wanted.count && listed == wanted
            }
            return agrees ? answers : nil
        }
        #expect(answers[0].body == answers[1].body)
        #expect(answers[0].header("ETag") == answers[1].header("ETag"))
        let ids = try answers[0].json()["data"].array.compactMap { $0["id"].string }
        #expect(ids == ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
}
