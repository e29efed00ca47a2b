import AMQP
import Catalog
import Foundation
import Testing

/// Generations on every endpoint that serves a registered model, run by the pollers.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct VerificationTests {
    /// A registered model that the endpoints `names` of the simulator serve, and a gateway that knows.
    private func served(
        _ deployment: Deployment, by names: [String], _ settings: [String: String] = [:]
    ) async throws -> (fleet: SimulatedFleet, gateway: Node) {
        let fleet = try await deployment.fleet()
        for name in names { try await fleet.put(name, kind: "vllm", models: ["Org/M"]) }
        try await fleet.hub.putGGUF("Org/M", ["m.gguf": 10])
        _ = try await deployment.registrar(
            "registrar",
            fleet.hub.settings().merging(["ROLLCALL_ENDPOINTS": fleet.setting(names)]) { $1 }
                .merging(settings) { $1 })
        let gateway = try await deployment.readyGateway()
        #expect(try await gateway.register("Org/M").status == 201)
        return (fleet, gateway)
    }

    private func verify(_ gateway: Node) async throws -> Answer {
        try await gateway.server.send("POST", "/v0/models/org/m/verify", body: "{}")
    }

    private func ready(_ gateway: Node, on count: Int) async throws {
        try await eventually("the model is served by \(count)", within: .seconds(30)) {
            try await gateway.registered("org/m")["endpoints"].array.count == count
        }
    }

    private func completions(_ fleet: SimulatedFleet) async throws -> [String: Int] {
        let endpoints = try await fleet.node.server.get("/control/fleet").json()["endpoints"].array
        return Dictionary(
            uniqueKeysWithValues: endpoints.map { ($0["name"].string ?? "", $0["completions"].integer ?? -1) })
    }

    @Test(.timeLimit(.minutes(2)))
    func everyEndpointIsTriedOnceAndEachOutcomeIsShown() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await served(
                deployment, by: ["good", "hangs", "fails"], ["ROLLCALL_VERIFY_TIMEOUT": "2"])
            let unserved = try await verify(gateway)
            #expect(unserved.status == 503, "\(unserved.text)")
            #expect(try unserved.json()["error"]["code"].string == "model_not_available")
            _ = try await deployment.poller()
            _ = try await deployment.poller("second")
            try await ready(gateway, on: 3)
            try await fleet.patch("hangs", #"{"behaviour":{"completion_fault":"hang"}}"#)
            try await fleet.patch("fails", #"{"behaviour":{"completion_fault":"error"}}"#)

            async let first = verify(gateway)
            async let second = verify(gateway)
            let answers = try await [first, second]
            #expect(answers.map(\.status) == [200, 200], "\(answers.map(\.text))")
            #expect(try await completions(fleet) == ["good": 1, "hangs": 1, "fails": 1], "asked twice, run once")
            let shown = try await gateway.server.get("/v0/models/hub").json()["models"].array[0]["verification"].array
            let outcomes = Dictionary(
                uniqueKeysWithValues: shown.map { ($0["endpoint"].string ?? "", $0["outcome"].string ?? "") })
            #expect(outcomes == ["good": "ok", "hangs": "timeout", "fails": "error"])
            let good = try #require(shown.first { $0["endpoint"].string == "good" })
            #expect(good["tokens"].integer == 2)
            #expect(good["text"].string?.hasPrefix("Hello") == true)
            let fresh = try await deployment.readyGateway("fresh")
            #expect(try await fresh.registered("org/m")["verification"].array == shown)
        }
    }

    /// Client → gateway → command → registrar → job → poller → endpoint, and back on the stream.
    @Test(.timeLimit(.minutes(2)))
    func aTraceIsTheSameFromTheClientToTheEndpoint() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await served(deployment, by: ["a"])
            _ = try await deployment.poller()
            try await ready(gateway, on: 1)
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let answer = try await gateway.server.send(
                "POST", "/v0/models/org/m/verify", body: "{}",
                headers: [("traceparent", parent), ("tracestate", "a=1")])
            #expect(answer.status == 200, "\(answer.text)")
            let seen = try await fleet.node.server.get("/control/endpoints/a").json()["last_request"]["headers"]
            #expect(seen["traceparent"].string == parent && seen["tracestate"].string == "a=1")

            let traced = try await deployment.streamed().filter { $0.trace?.parent == parent }
            #expect(Set(traced.map(\.type)) == ["operation.changed", "verify.result"])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aDeadPollersGenerationIsRunByAnother() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await served(deployment, by: ["a"], ["ROLLCALL_VERIFY_TIMEOUT": "30"])
            let doomed = try await deployment.poller("doomed")
            try await ready(gateway, on: 1)
            try await fleet.patch("a", #"{"behaviour":{"completion_fault":"hang"}}"#)
            async let answer = verify(gateway)
            try await eventually("the generation is under way") { try await completions(fleet)["a"] == 1 }
            try await fleet.patch("a", #"{"behaviour":{"completion_fault":"none"}}"#)
            _ = try await deployment.poller("other")
            await doomed.process.killNow()
            let verified = try await answer
            #expect(verified.status == 200, "\(verified.text)")
            #expect(try verified.json()["verification"].array[0]["outcome"].string == "ok")
            #expect(try await completions(fleet)["a"] == 2)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func memoryThatAnEndpointReportsIsHeldAgainstWhatAModelNeeds() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await served(deployment, by: ["a"])
            try await fleet.put("xllm", kind: "openai", models: ["other"])
            try await fleet.patch("xllm", #"{"behaviour":{"gpu_memory_bytes":14}}"#)
            func codes() async throws -> [String] {
                try await gateway.registered("org/m")["warnings"].array.compactMap { $0["code"].string }
            }
            #expect(try await codes().contains("memory_unknown"))
            _ = try await deployment.poller()
            let base = fleet.base("xllm")
            #expect(
                try await gateway.server.send(
                    "POST", "/v0/endpoints", body: #"{"name":"xllm","base_url":"\#(base)"}"#
                ).status == 201)
            try await eventually("the model is known to need more", within: .seconds(30)) {
                try await codes().contains("insufficient_memory")
            }
        }
    }
}
