import Curl
import Foundation
import Synchronization
import TestSupport
import Testing

/// Requests to models through real gateways, to simulated endpoints.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct InferenceTests {
    /// What a streamed chat came to.
    private struct Stream: Sendable {
        var status = 0
        var endpoint: String?
        var chunks = 0
        /// From an endpoint's writing of a chunk to its arrival here, in microseconds.
        var delays: [Int] = []
        var isDone = false
        var hasError = false
        /// The connection ended otherwise than it should.
        var isBroken = false
    }

    private static func chat(
        _ node: Node, _ model: String, tokens: Int, requestID: String? = nil,
        onChunk: (@Sendable (Int) async -> Void)? = nil
    ) async throws -> Stream {
        var request = HTTPRequest(url: node.server.base + "/v1/chat/completions")
        request.method = "POST"
        request.headers = [("Content-Type", "application/json")]
        if let requestID { request.headers.append(("X-Request-Id", requestID)) }
        request.totalTimeout = nil
        request.maximumBodyBytes = .max
        request.body = .bytes(
            Array(
                #"{"model":"\#(model)","stream":true,"max_tokens":\#(tokens),"messages":[{"role":"user","content":"x"}]}"#
                    .utf8))
        var stream = Stream()
        do throws(HTTPError) {
            let answer = try await Server.client.stream(request)
            stream.status = answer.status
            stream.endpoint = answer.header("X-Rollcall-Endpoint")
            var rest: [UInt8] = []
            for try await bytes in answer {
                let now = Int(Date().timeIntervalSince1970 * 1_000_000)
                rest += bytes
                while let end = rest.firstRange(of: Array("\n\n".utf8)) {
                    take(rest[..<end.lowerBound], now, &stream)
                    rest.removeSubrange(..<end.upperBound)
                    await onChunk?(stream.chunks)
                }
            }
        } catch {
            stream.isBroken = true
        }
        return stream
    }

    private static func take(_ event: ArraySlice<UInt8>, _ now: Int, _ stream: inout Stream) {
        let text = String(decoding: event, as: UTF8.self)
        guard text.hasPrefix("data: ") else { return }
        if text == "data: [DONE]" {
            stream.isDone = true
            return
        }
        if text.hasPrefix(#"data: {"error""#) { stream.hasError = true }
        // Not decoded: of thousands of chunks a second only this number is wanted.
        guard let field = text.firstRange(of: #""sent_at":"#),
            let sentAt = Int(text[field.upperBound...].prefix { $0.isNumber })
        else { return }
        stream.chunks += 1
        stream.delays.append(now - sentAt)
    }

    private func serving(
        _ deployment: Deployment, _ names: [String], behaviour: String = "{}"
    ) async throws -> (fleet: SimulatedFleet, gateway: Node) {
        let fleet = try await deployment.fleet()
        for name in names {
            try await fleet.put(name, kind: "vllm", models: ["m"])
            try await fleet.patch(name, "{\"behaviour\":\(behaviour)}")
        }
        _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(names)])
        _ = try await deployment.poller()
        let gateway = try await deployment.readyGateway()
        try await eventually("the model is listed") {
            try await gateway.server.get("/v1/models/m").json()["endpoints"].array.count == names.count
        }
        return (fleet, gateway)
    }

    private func endpoint(_ fleet: SimulatedFleet, _ name: String) async throws -> JSON {
        try await fleet.node.server.get("/control/endpoints/\(name)").json()
    }

    @Test(.timeLimit(.minutes(2)))
    func chunksComeAsTheyAreSentAndMemoryStaysFlat() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, ["a"], behaviour: #"{"chunk_interval_ms":50}"#)
            // So many that the p99 is not one chunk that met a busy moment of the machine.
            let alone = try await Self.chat(gateway, "m", tokens: 400)
            #expect(alone.chunks >= 400 && alone.isDone)
            let delays = alone.delays.sorted()
            print("a chunk's way, p50 and p99: \(delays[delays.count / 2]) and \(delays[delays.count * 99 / 100]) µs")
            // Before the next one is sent: no chunk waits for another. How fast the way is `make bench` says.
            #expect(delays[delays.count * 99 / 100] < 50_000)

            // So slow that three unoptimised programs on a few cores can do with 500 of them.
            try await fleet.patch("a", #"{"behaviour":{"chunk_interval_ms":500}}"#)
            let before = try gateway.process.resources.memory
            let streams = try await withThrowingTaskGroup(of: Stream.self) { group in
                for _ in 0..<500 { group.addTask { try await Self.chat(gateway, "m", tokens: 30) } }
                try await Task.sleep(for: .seconds(8))
                let during = try gateway.process.resources.memory
                print("500 streams: memory \(before) → \(during) bytes")
                #expect(during - before < 100 << 20)
                return try await group.reduce(into: [Stream]()) { $0.append($1) }
            }
            let failed = streams.filter { $0.chunks < 30 || !$0.isDone || $0.isBroken }
            #expect(failed.isEmpty, "\(failed.count) failed, such as \(String(describing: failed.first))")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aClientThatStopsReadingStopsTheEndpointAndCostsNoMemory() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, ["a"], behaviour: #"{"chunk_bytes":100000}"#)
            let before = try gateway.process.resources.memory
            let gate = AsyncStream<Void>.makeStream()
            let reader = Task {
                try await Self.chat(gateway, "m", tokens: 1000) { count in
                    // Stops reading at the tenth chunk, until it is let go.
                    if count == 10 { for await _ in gate.stream { break } }
                }
            }
            try await eventually("the endpoint has been asked") {
                try await endpoint(fleet, "a")["completions"].integer == 1
            }
            try await Task.sleep(for: .seconds(3))
            let during = try gateway.process.resources.memory
            print("a client that stops reading: memory \(before) → \(during) bytes")
            #expect(during - before < 40 << 20, "100 MB are waiting to be sent")
            gate.continuation.finish()
            let stream = try await reader.value
            #expect(stream.chunks >= 1000 && stream.isDone)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func anEndpointThatDiesUnderLoadFailsNoRequestThatHadNoByte() async throws {
        try await Deployment.run { deployment in
            var started: [SimulatedFleet] = []
            for name in ["a", "b", "c"] {
                let fleet = try await deployment.fleet()
                try await fleet.put(name, kind: "vllm", models: ["m"])
                try await fleet.patch(name, #"{"behaviour":{"chunk_interval_ms":20,"first_byte_ms":50}}"#)
                started.append(fleet)
            }
            let setting = zip(["a", "b", "c"], started).map { $1.setting([$0]) }.joined(separator: ",")
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": setting])
            _ = try await deployment.poller()
            let one = try await deployment.readyGateway("one")
            let two = try await deployment.readyGateway("two")
            for gateway in [one, two] {
                try await eventually("the model is listed") {
                    try await gateway.server.get("/v1/models/m").json()["endpoints"].array.count == 3
                }
            }
            let fleets = started
            let doomed = fleets[0].node.process
            let late = Grave()
            let results = try await withThrowingTaskGroup(of: [Stream].self) { group in
                for number in 0..<200 {
                    let (gateway, name) = number % 2 == 0 ? (one, "one") : (two, "two")
                    group.addTask {
                        var streams: [Stream] = []
                        for _ in 0..<4 {
                            streams.append(
                                try await Self.chat(gateway, "m", tokens: 40, requestID: "\(name)-\(number)"))
                        }
                        return streams
                    }
                }
                try await eventually("streams are open at it", within: .seconds(60)) {
                    (try await endpoint(fleets[0], "a")["open_streams"].integer ?? 0) >= 20
                }
                await doomed.killNow()
                late.dig(at: fleets[0].node.port)
                return try await group.reduce(into: [Stream]()) { $0 += $1 }
            }
            #expect(results.count == 800)
            let failed = results.filter { $0.status != 200 }
            #expect(failed.isEmpty, "\(failed.count) requests without a byte failed")
            let cut = results.filter { !$0.isDone }
            #expect(cut.allSatisfy { $0.endpoint == "a" && ($0.hasError || $0.isBroken) })
            #expect(results.filter(\.isDone).allSatisfy { $0.chunks >= 40 })
            #expect(!cut.isEmpty)
            print("one of three endpoints killed: \(cut.count) of \(results.count) streams cut, none else failed")
            for name in ["one", "two"] {
                let times = late.requests(of: name)
                print("requests of gateway \(name) to the dead endpoint: \(times)")
                #expect(times.allSatisfy { $0 < .seconds(1) })
            }
        }
    }

    /// In the place of a dead endpoint: sees what is still sent there, and breaks it off.
    private final class Grave: Sendable {
        private struct State {
            var server: RawServer?
            var requests: [(gateway: String, at: ContinuousClock.Instant)] = []
            var since = ContinuousClock.now
        }

        private let state = Mutex(State())

        func dig(at port: Int) {
            let server = RawServer(port: port) { [weak self] connection in
                guard let head = connection.readHead(), head.hasPrefix("POST"),
                    let line = head.split(separator: "\r\n").first(where: {
                        $0.lowercased().hasPrefix("x-request-id: ")
                    })
                else { return }
                let gateway = line.dropFirst(14).prefix { $0 != "-" }
                self?.state.withLock { $0.requests.append((String(gateway), .now)) }
            }
            state.withLock { state in
                state.server = server
                state.since = .now
            }
        }

        /// Since the endpoint died.
        func requests(of gateway: String) -> [Duration] {
            state.withLock { state in state.requests.filter { $0.gateway == gateway }.map { $0.at - state.since } }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anEndpointHearsAtOnceThatAClientHasGone() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, ["a"], behaviour: #"{"chunk_interval_ms":20}"#)
            let reading = AsyncStream<Void>.makeStream()
            let client = Task {
                try await Self.chat(gateway, "m", tokens: 10_000) { if $0 == 5 { reading.continuation.finish() } }
            }
            for await _ in reading.stream {}
            client.cancel()
            let gone = Int(Date().timeIntervalSince1970 * 1_000_000)
            let closedAt = try await eventually("the endpoint sees it", within: .seconds(5)) {
                try await endpoint(fleet, "a")["last_closed_at"].integer
            }
            print("a client's going is seen after \(closedAt - gone) µs")
            #expect(closedAt - gone < 200_000)
            #expect(try await endpoint(fleet, "a")["open_streams"].integer == 0)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aLargeRequestIsPassedOnAndNotKeptTwice() async throws {
        try await Deployment.run { deployment in
            let (fleet, gateway) = try await serving(deployment, ["a"])
            _ = try await gateway.server.send(
                "POST", "/v1/chat/completions", body: #"{"model":"m","messages":[]}"#)
            let before = try gateway.process.resources.memory
            let size = 20 << 20
            let image = String(repeating: "QUJD", count: size / 4)
            let body =
                #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,"#
                + image + #""}}]}]}"#
            let answer = try await gateway.server.send("POST", "/v1/chat/completions", body: body)
            #expect(answer.status == 200, "\(answer.text)")
            let last = try await endpoint(fleet, "a")["last_request"]
            #expect(last["body_bytes"].integer == body.utf8.count)
            let peak = try peakMemory(of: gateway.process)
            print("a request of \(size) bytes: memory \(before) → at most \(peak)")
            #expect(peak - before < 2 * size)
        }
    }

    private func peakMemory(of process: ChildProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
    }

    @Test(.timeLimit(.minutes(2)))
    func aDrainedEndpointFinishesAndTakesNoMore() async throws {
        try await Deployment.run { deployment in
            let (_, gateway) = try await serving(deployment, ["a", "b"], behaviour: #"{"chunk_interval_ms":50}"#)
            let running = try await withThrowingTaskGroup(of: Stream.self) { group in
                for _ in 0..<10 { group.addTask { try await Self.chat(gateway, "m", tokens: 60) } }
                try await Task.sleep(for: .seconds(1))
                #expect(
                    try await gateway.server.send("PATCH", "/v0/endpoints/a", body: #"{"draining":true}"#).status == 200
                )
                for _ in 0..<10 {
                    let stream = try await Self.chat(gateway, "m", tokens: 1)
                    #expect(stream.endpoint == "b")
                }
                return try await group.reduce(into: [Stream]()) { $0.append($1) }
            }
            #expect(running.allSatisfy { $0.isDone && $0.chunks >= 60 })
            #expect(Set(running.compactMap(\.endpoint)) == ["a", "b"])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func aFullEndpointQueuesInOrderAndThenRefuses() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("a", kind: "vllm", models: ["m"])
            try await fleet.patch("a", #"{"behaviour":{"chunk_interval_ms":50}}"#)
            _ = try await deployment.registrar()
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway(
                "gateway", ["ROLLCALL_QUEUE_LIMIT": "2", "ROLLCALL_QUEUE_TIMEOUT": "10"])
            let body = #"{"name":"a","base_url":"\#(fleet.base("a"))","max_concurrency":1}"#
            #expect(try await gateway.server.send("POST", "/v0/endpoints", body: body).status == 201)
            try await eventually("the model is listed") { try await gateway.server.models() == ["m"] }
            let streams = try await withThrowingTaskGroup(of: Stream.self) { group in
                for _ in 0..<5 {
                    group.addTask { try await Self.chat(gateway, "m", tokens: 20) }
                }
                return try await group.reduce(into: [Stream]()) { $0.append($1) }
            }
            #expect(streams.map(\.status).sorted() == [200, 200, 200, 429, 429])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anthropicsClientIsServedAsWell() async throws {
        try await Deployment.run { deployment in
            let (_, gateway) = try await serving(deployment, ["a"])
            let output = try await run(
                try #require(Paths.python).path,
                [
                    Paths.programs.appendingPathComponent("chat_clients.py").path, "anthropic", gateway.server.base,
                    "m",
                ])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            #expect(seen["model"].string == "m")
            #expect(seen["text"].string?.hasPrefix("Hello") == true)
            #expect(seen["streamed"].string?.hasPrefix("Hello") == true)
        }
    }
}
