import Foundation
import Testing

/// Registrations from a client's request to every gateway's answer, with the simulator's Hub.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct ModelRegistrationTests {
    private func code(_ answer: Answer) throws -> String? { try answer.json()["error"]["code"].string }

    private func weights(_ manifest: JSON) -> [String] {
        manifest["files"].array.filter { $0["role"].string == "weights" }.compactMap { $0["path"].string }
    }

    @Test(.timeLimit(.minutes(2)))
    func modelsOfEveryShapeAreRegistered() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            _ = try await deployment.registrar("registrar", hub.settings())
            let gateway = try await deployment.readyGateway()

            try await hub.putGGUF("Org/Single-GGUF", ["single-Q8_0.gguf": 1000])
            let single = try await gateway.register("Org/Single-GGUF")
            #expect(single.status == 201)
            #expect(single.header("Location") == "/v0/models/org/single-gguf")
            #expect(try single.json()["status"].string == "registered")
            #expect(try single.json()["size_bytes"].integer == 1000)
            #expect(try single.json()["required_memory_bytes"].integer == 1500)
            #expect(try weights(await gateway.manifest("org/single-gguf")) == ["single-Q8_0.gguf"])

            let files = ["m-Q4_K_M.gguf": 400, "m-Q8_0.gguf": 800, "m-F16.gguf": 1600]
            try await hub.putGGUF("Org/Many-GGUF", files)
            let many = try await gateway.register("https://huggingface.co/Org/Many-GGUF/blob/main/m-F16.gguf?x=1#y")
            #expect(try many.json()["quantization"].string == "F16")
            #expect(try weights(await gateway.manifest("org/many-gguf")) == ["m-F16.gguf"])
            #expect(try await gateway.server.send("DELETE", "/v0/models/org/many-gguf").status == 204)
            let quantized = try await gateway.register("org/many-gguf", ["quantization": "Q8_0"])
            #expect(quantized.status == 201)
            #expect(try quantized.json()["repo"].string == "Org/Many-GGUF", "the Hub's own spelling")
            #expect(try quantized.json()["quantization"].string == "Q8_0")

            let parts = (1...13).map { "q/big-Q4_0-000\($0 < 10 ? "0" : "")\($0)-of-00013.gguf" }
            try await hub.putGGUF("Org/Split", Dictionary(uniqueKeysWithValues: parts.map { ($0, 10) }))
            let split = try await gateway.register("Org/Split", ["filename": parts[4]])
            #expect(try split.json()["size_bytes"].integer == 130)
            #expect(try weights(await gateway.manifest("org/split")) == parts)
            #expect(try await hub.weightsRequests() == 0)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func safetensorsWithTheirIndexConfigurationAndTokenizer() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            _ = try await deployment.registrar("registrar", hub.settings())
            let gateway = try await deployment.readyGateway()

            let index = #"{"weight_map":{"a":"w-00001-of-00002.safetensors","b":"w-00002-of-00002.safetensors"}}"#
            try await hub.put(
                "Org/Sharded",
                [
                    "files": [
                        "config.json": #"{"architectures":["LlamaForCausalLM"],"max_position_embeddings":8192}"#,
                        "tokenizer.json": "{}", "weights/model.safetensors.index.json": index,
                    ],
                    "generated": [
                        "weights/w-00001-of-00002.safetensors": 70, "weights/w-00002-of-00002.safetensors": 30,
                    ],
                ])
            let sharded = try await gateway.register("Org/Sharded")
            #expect(sharded.status == 201, "\(sharded.text)")
            #expect(try sharded.json()["context_length"].integer == 8192)
            let manifest = try await gateway.manifest("org/sharded")
            #expect(
                weights(manifest) == ["weights/w-00001-of-00002.safetensors", "weights/w-00002-of-00002.safetensors"])
            #expect(manifest["size_bytes"].integer == 100)
            let roles = Set(manifest["files"].array.compactMap { $0["role"].string })
            #expect(roles == ["config", "tokenizer", "index", "weights"])

            try await hub.put(
                "openai/gpt-oss-20b",
                [
                    "files": [
                        "config.json": try SimulatedHub.text("config.gpt_oss_20b.json"),
                        "model.safetensors.index.json": #"{"weight_map":{"a":"model-00000-of-00002.safetensors","#
                            + #""b":"model-00001-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}}"#,
                    ]
                ], fixture: "model_blobs.openai_gpt-oss-20b.json")
            let oss = try await gateway.register("openai/gpt-oss-20b")
            #expect(oss.status == 201, "\(oss.text)")
            let ossFiles = try await gateway.manifest("openai/gpt-oss-20b")["files"].array
            #expect(ossFiles.filter { $0["role"].string == "weights" }.count == 3)
            let metal = try #require(ossFiles.first { $0["role"].string == "metal" })
            #expect(metal["path"].string == "metal/model.bin")
            #expect(metal["optional"].bool == true)
            #expect(ossFiles.contains { $0["runtimes"].array == [.string("gptoss_cpp")] })
            #expect(try await hub.weightsRequests() == 0)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func whatCannotBeRegisteredIsSaidAndWhy() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            _ = try await deployment.registrar("registrar", hub.settings())
            let gateway = try await deployment.readyGateway()

            let missing = try await gateway.register("org/missing")
            #expect(missing.status == 404)
            #expect(try code(missing) == "repository_not_found")
            #expect(missing.text.contains("HF_TOKEN"), "the message says how to give a token")

            let index = #"{"weight_map":{"a":"w-00001-of-00002.safetensors","b":"w-00002-of-00002.safetensors"}}"#
            let small = ["config.json": "{}", "tokenizer.json": "{}"]
            try await hub.put(
                "org/gated", ["files": small, "generated": ["model.safetensors": 10], "gated": "manual"])
            let gated = try await gateway.register("org/gated")
            #expect(gated.status == 403, "\(gated.text)")
            #expect(try code(gated) == "gated_repository")

            try await hub.put("org/both", ["files": small, "generated": ["model.safetensors": 10, "m-Q4_0.gguf": 5]])
            let both = try await gateway.register("org/both")
            #expect(both.status == 400)
            #expect(try code(both) == "ambiguous_artifact")
            #expect(both.text.contains("model.safetensors") && both.text.contains("m-Q4_0.gguf"))

            try await hub.put(
                "org/torn",
                [
                    "files": small.merging(["model.safetensors.index.json": index]) { $1 },
                    "generated": ["w-00001-of-00002.safetensors": 10],
                ])
            let torn = try await gateway.register("org/torn")
            #expect(torn.status == 400)
            #expect(try code(torn) == "incomplete_shards")
            #expect(torn.text.contains("w-00002-of-00002.safetensors"))

            for (repo, expected) in [("../../etc", "invalid_repo"), ("https://example.com/a/b", "invalid_repo")] {
                let answer = try await gateway.register(repo)
                #expect(answer.status == 400)
                #expect(try code(answer) == expected)
            }
            #expect(try await gateway.registeredNames() == [])
            #expect(try await hub.weightsRequests() == 0)
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func aHubThatIsSlowLimitedOrAwayIsSaidInBoundedTime() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            let hub = fleet.hub
            let registrar = try await deployment.registrar("registrar", hub.settings())
            let gateway = try await deployment.readyGateway("one")
            let other = try await deployment.readyGateway("two")
            for number in 1...4 { try await hub.putGGUF("org/m\(number)", ["m.gguf": 10]) }

            // Two questions of 11 s each: longer than a gateway waits, each shorter than the registrar does.
            try await hub.put("org/m1", ["generated": ["m.gguf": 10], "files": ["tokenizer_config.json": "{}"]])
            try await hub.patch(#"{"latency_ms":11000}"#)
            async let answer = gateway.register("org/m1", key: "slow")
            let waiting = try await gateway.register("org/m1", key: "slow", isAsync: true)
            let location = try #require(waiting.header("Location"))
            let steps = try await eventually("a step is visible on another gateway") {
                let operation = try await other.server.get(location).json()
                return operation["step"].string == "resolving" ? operation : nil
            }
            #expect(steps["state"].string == "pending")
            let accepted = try await answer
            #expect(accepted.status == 202, "\(accepted.text)")
            #expect(accepted.header("Location") == location)
            let done = try await eventually("it is done", within: .seconds(30)) {
                let operation = try await other.server.get(location).json()
                return operation["state"].string == "succeeded" ? operation : nil
            }
            #expect(done["result"].string == "org/m1")
            try await hub.patch(#"{"latency_ms":0,"fault":"429","times":1,"retry_after":2}"#)
            #expect(try await gateway.register("org/m2").status == 201, "a short limit is waited for")
            try await hub.patch(#"{"fault":"429","retry_after":55}"#)
            let limited = try await gateway.register("org/m3")
            #expect(limited.status == 429)
            #expect(limited.header("Retry-After") == "55")
            #expect(try limited.json()["error"]["type"].string == "rate_limit_error")

            // The limit holds until its end, whatever is asked for. Another registrar has not heard of it.
            try await hub.patch(#"{"fault":"none"}"#)
            #expect(try await gateway.register("org/m3").status == 429)
            #expect(await registrar.process.stop() == 0)
            _ = try await deployment.registrar("successor", hub.settings())
            await fleet.node.process.killNow()
            let started = ContinuousClock.now
            let away = try await gateway.register("org/m3")
            #expect(away.status == 502 || away.status == 504, "\(away.text)")
            #expect(started.duration(to: .now) < .seconds(20))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func ofTwoRegistrationsAtOnceOneWinsOnAnyGateway() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            _ = try await deployment.registrar("registrar", hub.settings())
            let one = try await deployment.readyGateway("one")
            let two = try await deployment.readyGateway("two")
            try await hub.putGGUF("org/m", ["m.gguf": 10])
            async let first = one.register("org/m", key: "a")
            async let second = two.register("https://hf.co/org/M", key: "b")
            let answers = try await [first, second]
            #expect(answers.map(\.status).sorted() == [201, 409])
            let loser = try #require(answers.first { $0.status == 409 })
            #expect(try code(loser) == "already_registered")
            let repeated = try await two.register("org/m", key: "a")
            #expect(repeated.status == answers[0].status)
            #expect(try await one.register("org/other", key: "a").status == 422)
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func refreshShowsWhatMovedAndAppliesItWhenAsked() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            _ = try await deployment.registrar("registrar", hub.settings())
            let gateway = try await deployment.readyGateway()
            try await hub.putGGUF("org/m", ["m-Q4_0.gguf": 10])
            let first = try await gateway.register("org/m").json()
            let manifest = try await gateway.server.get("/v0/models/registry/org/m/manifest.json")
            try await hub.putGGUF("org/m", ["m-Q4_0.gguf": 20])

            let shown = try await gateway.server.send("POST", "/v0/models/org/m/refresh", body: "{}")
            #expect(shown.status == 200, "\(shown.text)")
            #expect(try shown.json()["commit"] == first["commit"])
            let drift = try shown.json()["drift"]
            #expect(drift["commit"] != first["commit"])
            #expect(drift["changes"].array.map { $0["path"].string } == ["m-Q4_0.gguf"])
            let same = try await gateway.server.get("/v0/models/registry/org/m/manifest.json")
            #expect(same.body == manifest.body, "a manifest never changes under a node")
            #expect(same.header("ETag") == manifest.header("ETag"))

            let applied = try await gateway.server.send("POST", "/v0/models/org/m/refresh", body: #"{"apply":true}"#)
            #expect(try applied.json()["commit"] == drift["commit"])
            #expect(try applied.json()["size_bytes"].integer == 20)
            #expect(try await gateway.manifest("org/m")["size_bytes"].integer == 20)
        }
    }

    @Test(.timeLimit(.minutes(3)))
    func withoutTheHubEverythingKnownIsServedAtOnceAndSaidToBeStale() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            let registrar = try await deployment.registrar("registrar", fleet.hub.settings(isFresh: true))
            let gateway = try await deployment.readyGateway()
            for number in 1...12 {
                try await fleet.hub.putGGUF("org/m\(number)", ["m.gguf": 10])
                #expect(try await gateway.register("org/m\(number)").status == 201)
            }
            await fleet.node.process.killNow()
            await registrar.process.stop()
            _ = try await deployment.registrar("again", fleet.hub.settings(isFresh: true))
            try await eventually("all of them are stale", within: .seconds(60)) {
                let models = try await gateway.server.get("/v0/models/hub").json()["models"].array
                return models.count == 12 && models.allSatisfy { $0["hf_info"]["stale"].bool == true }
            }
            let fresh = try await deployment.readyGateway("fresh")
            for path in [
                "/v0/models", "/v0/models/hub", "/v0/models/org/m7", "/v0/models/registry/org/m7/manifest.json",
            ] {
                var times: [Duration] = []
                for _ in 0..<40 {
                    let start = ContinuousClock.now
                    let answer = try await fresh.server.get(path)
                    times.append(start.duration(to: .now))
                    #expect(answer.status == 200)
                }
                let median = times.sorted()[20]
                print("without the Hub, median of \(path): \(median)")
                #expect(median < .milliseconds(5), "\(path)")
            }
        }
    }

    /// 1,000 registrations at once, the active registrar killed five times, one request in twenty sent twice.
    @Test(.timeLimit(.minutes(8)))
    func aThousandRegistrationsThroughFiveDeathsOfTheRegistrar() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            for number in 0..<1000 { try await hub.putGGUF("org/m\(number)", ["m.gguf": 10 + number]) }
            var registrar = try await deployment.registrar("registrar-0", hub.settings())
            var gateways: [Node] = []
            for number in 0..<3 { gateways.append(try await deployment.readyGateway("gateway-\(number)")) }
            let nodes = gateways

            let outcomes = Task {
                try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                    for number in 0..<1000 {
                        for copy in 0..<(number % 20 == 0 ? 2 : 1) {
                            group.addTask {
                                (number, try await Self.outcome(of: number, at: nodes[(number + copy) % 3]))
                            }
                        }
                    }
                    return try await group.reduce(into: [Int: [Answer]]()) { $0[$1.0, default: []].append($1.1) }
                }
            }
            for death in 1...5 {
                let expected = death * 120
                try await eventually("\(expected) are registered", within: .seconds(120)) {
                    try await nodes[0].registeredNames().count >= expected
                }
                await registrar.process.killNow()
                registrar = try await deployment.registrar("registrar-\(death)", hub.settings())
            }
            let answers = try await outcomes.value
            #expect(answers.count == 1000)
            for (number, copies) in answers {
                #expect(copies.allSatisfy { $0.status == 200 }, "\(number): \(copies.map(\.text))")
                #expect(Set(copies.map(\.text)).count == 1, "the same key has the same answer")
                #expect(try copies[0].json()["result"].string == "org/m\(number)", "\(copies[0].text)")
            }
            let expected = (0..<1000).map { "org/m\($0)" }.sorted()
            for node in nodes {
                let names = try await node.registeredNames()
                #expect(names == expected)
            }
            #expect(try await hub.weightsRequests() == 0)
        }
    }

    /// What became of the registration of one model: its operation, once it is final. A request that was not taken, or
    /// may not have been, is sent again under its key, as the contract says.
    private static func outcome(of number: Int, at node: Node) async throws -> Answer {
        for _ in 0..<200 {
            let answer = try await node.register("org/m\(number)", key: "key-\(number)", isAsync: true)
            guard answer.status == 202, let location = answer.header("Location") else {
                guard answer.status == 503 else { return answer }
                try await Task.sleep(for: .milliseconds(500))
                continue
            }
            return try await eventually("operation of \(number) is final", within: .seconds(240)) {
                let operation = try await node.server.get(location)
                return try operation.json()["state"].string == "pending" ? nil : operation
            }
        }
        throw CommandFailed(description: "registration \(number) was never taken")
    }

    @Test(.timeLimit(.minutes(2)))
    func theOtherRegistrarAnswersWithinThreeSeconds() async throws {
        try await Deployment.run { deployment in
            let hub = try await deployment.fleet().hub
            let active = try await deployment.registrar("active", hub.settings())
            let gateway = try await deployment.readyGateway()
            try await hub.putGGUF("org/a", ["m.gguf": 10])
            try await hub.putGGUF("org/b", ["m.gguf": 10])
            #expect(try await gateway.register("org/a").status == 201)
            let standby = try await deployment.registrar("standby", hub.settings())
            try await eventually("the standby is ready") { try await standby.server.get("/readyz").status == 200 }
            await active.process.killNow()
            let killed = ContinuousClock.now
            #expect(try await gateway.register("org/b").status == 201)
            let took = killed.duration(to: .now)
            print("the other registrar answered after \(took)")
            #expect(took < .seconds(3))
            #expect(try await gateway.registeredNames() == ["org/a", "org/b"])
        }
    }
}
