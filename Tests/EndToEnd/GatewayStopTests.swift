import Curl
import Foundation
import Testing

/// A gateway that is asked to stop: out of the load balancer first, then out of its clients' way, and only then gone.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct GatewayStopTests {
    private struct Stream: Sendable {
        var text = ""
        var isBroken = false
        var events: Int { text.components(separatedBy: #""sent_at":"#).count - 1 }
        var isWhole: Bool { text.hasSuffix("data: [DONE]\n\n") && !isBroken }
    }

    private func serving(
        _ deployment: Deployment, drain: String, chunkInterval: Int
    ) async throws -> (fleet: SimulatedFleet, gateway: Node) {
        let fleet = try await deployment.fleet()
        try await fleet.put("a", kind: "vllm", models: ["m"])
        try await fleet.patch("a", "{\"behaviour\":{\"chunk_interval_ms\":\(chunkInterval)}}")
        _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(["a"])])
        _ = try await deployment.poller()
        let gateway = try await deployment.readyGateway("gateway", ["ROLLCALL_DRAIN_SECONDS": drain])
        try await eventually("the model is listed") { try await gateway.server.models() == ["m"] }
        return (fleet, gateway)
    }

    private func request(_ gateway: Node, tokens: Int) -> HTTPRequest {
        var request = HTTPRequest(url: gateway.server.base + "/v1/chat/completions")
        request.method = "POST"
        request.headers = [("Content-Type", "application/json")]
        request.totalTimeout = nil
        request.body = .bytes(
            Array(
                #"{"model":"m","stream":true,"max_tokens":\#(tokens),"messages":[{"role":"user","content":"x"}]}"#
                    .utf8))
        return request
    }

    /// Begins a stream; the task reads it to its end.
    private func begin(_ gateway: Node, tokens: Int) async throws -> Task<Stream, Never> {
        let answer = try await Server.client.stream(request(gateway, tokens: tokens))
        #expect(answer.status == 200)
        return Task {
            var stream = Stream()
            do throws(HTTPError) {
                for try await bytes in answer { stream.text += String(decoding: bytes, as: UTF8.self) }
            } catch {
                stream.isBroken = true
            }
            return stream
        }
    }

    private func isListening(_ gateway: Node) async -> Bool {
        do {
            _ = try await gateway.server.get("/healthz")
            return true
        } catch {
            return false
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func atATermWhatIsInFlightFinishesAndNewRequestsAreServedForAWhile() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, drain: "60", chunkInterval: 100)
            #expect(try await gateway.server.get("/v1/models").header("Connection") != "close")
            let stream = try await begin(gateway, tokens: 100)
            let asked = ContinuousClock.now
            gateway.process.signal(SIGTERM)
            let ready = try await eventually("not ready", within: .seconds(1)) {
                let answer = try await gateway.server.get("/readyz")
                return answer.status == 503 ? answer : nil
            }
            #expect(try ready.json()["reason"].string == "stopping" && ready.header("Connection") == "close")
            #expect(asked.duration(to: .now) < .seconds(1))
            let list = try await gateway.server.get("/v1/models")
            #expect(list.status == 200 && list.header("Connection") == "close")
            #expect(try await gateway.server.get("/healthz").status == 200)
            let late = try await begin(gateway, tokens: 20)
            // The follower lives on: what happens meanwhile is seen.
            try await fleet.setModels("a", ["m", "n"])
            let made = try await gateway.server.send(
                "POST", "/v0/endpoints", body: #"{"name":"late","base_url":"http://127.0.0.1:9"}"#)
            #expect(made.status == 201, "\(made.text)")
            #expect(try await gateway.server.send("POST", "/v0/endpoints/a/poll", body: "{}").status == 200)
            #expect(try await gateway.server.models() == ["m", "n"])

            try await eventually("it listens no longer") { !(await isListening(gateway)) }
            let closed = asked.duration(to: .now)
            #expect(closed > .seconds(4) && closed < .seconds(8), "after \(closed)")
            #expect(gateway.process.isRunning)
            let (whole, second) = (await stream.value, await late.value)
            #expect(whole.isWhole && whole.events >= 100, "\(whole.events) events, then \(whole.text.suffix(200))")
            #expect(second.isWhole && second.events >= 20)
            #expect(await gateway.process.exitStatus() == 0)
            print("stopped listening after \(closed), ended after \(asked.duration(to: .now))")
            #expect(asked.duration(to: .now) < .seconds(20))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func whatOutlivesTheDrainEndsAsAnError() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, drain: "3", chunkInterval: 100)
            let stream = try await begin(gateway, tokens: 1000)
            try await fleet.put("b", kind: "vllm", models: ["slow"])
            try await fleet.patch("b", #"{"behaviour":{"completion_fault":"hang"}}"#)
            let made = try await gateway.server.send(
                "POST", "/v0/endpoints", body: "{\"name\":\"b\",\"base_url\":\"\(fleet.base("b"))\"}")
            #expect(made.status == 201)
            try await eventually("the other model is listed") { try await gateway.server.models() == ["m", "slow"] }
            async let waiting = gateway.server.send(
                "POST", "/v1/chat/completions",
                body: #"{"model":"slow","messages":[{"role":"user","content":"x"}]}"#)
            try await eventually("it is asked") {
                try await fleet.node.server.get("/control/endpoints/b").json()["completions"].integer == 1
            }
            let asked = ContinuousClock.now
            gateway.process.signal(SIGTERM)
            let cut = await stream.value
            let unanswered = try await waiting
            #expect(await gateway.process.exitStatus() == 0)
            let took = asked.duration(to: .now)
            #expect(took > .seconds(2.9) && took < .seconds(6), "\(took)")
            #expect(cut.events > 10 && cut.isBroken && !cut.text.contains("[DONE]"))
            #expect(cut.text.contains(#"data: {"error":{"#) && cut.text.contains("gateway_stopping"))
            #expect(unanswered.status == 503)
            #expect(try unanswered.json()["error"]["code"].string == "gateway_stopping")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func ctrlCWaitsOnlyForWhatIsInFlightAndASecondOneForNothing() async throws {
        try await Deployment.run { deployment in
            let (_, idle) = try await serving(deployment, drain: "60", chunkInterval: 100)
            let busy = try await deployment.readyGateway("busy", ["ROLLCALL_DRAIN_SECONDS": "60"])
            let asked = ContinuousClock.now
            idle.process.signal(SIGINT)
            #expect(await idle.process.exitStatus() == 0)
            #expect(asked.duration(to: .now) < .seconds(3), "\(asked.duration(to: .now))")

            let stream = try await begin(busy, tokens: 1000)
            busy.process.signal(SIGINT)
            try await eventually("it listens no longer") { !(await isListening(busy)) }
            #expect(busy.process.isRunning)
            let again = ContinuousClock.now
            busy.process.signal(SIGTERM)
            #expect(await busy.process.exitStatus() == 1)
            #expect(again.duration(to: .now) < .seconds(2))
            let cut = await stream.value
            #expect(cut.isBroken && !cut.text.contains("[DONE]"))
        }
    }
}
