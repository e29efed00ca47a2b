import Foundation
import Testing

/// A real llama.cpp server with a real model, seen through the whole of Rollcall.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable && Paths.python != nil, "needs scripts/test"))
struct RealServerTests {
    @Test(.timeLimit(.minutes(5)))
    func modelOfARealServerComesGoesAndComesBack() async throws {
        try await Deployment.run { deployment in
            let port = try Ports.free()
            let server = try await LlamaServer.start(in: deployment.folder, port: port)
            _ = try await deployment.registrar(
                "registrar", ["ROLLCALL_ENDPOINTS": "llama=http://127.0.0.1:\(port)"])
            _ = try await deployment.poller("poller", ["ROLLCALL_POLL_INTERVAL": "2"])
            let gateway = try await deployment.readyGateway()

            let model = "google/gemma-3-270m"
            func entry() async throws -> JSON? {
                try await gateway.server.get("/v1/models").json()["data"].array.first { $0["id"].string == model }
            }
            do {
                let found = try await eventually("the model is listed") { try await entry() }
                #expect(found["context_length"].integer == 2048)
                #expect(found["endpoints"].array == [.string("llama")])
                let endpoint = try await gateway.server.endpoint("llama")
                #expect(endpoint["kind"].string == "llamacpp")
                #expect(endpoint["state"].string == "online")
                #expect(endpoint["models"].array.first?["aliases"].array == [.string("tiny")])
                #expect(try await gateway.server.get("/v1/models/tiny").json()["id"].string == model)
                let body = #"{"model":"tiny","max_tokens":2,"messages":[{"role":"user","content":"Hi"}]}"#
                let chat = try await gateway.server.send("POST", "/v1/chat/completions", body: body)
                #expect(chat.status == 200 && chat.header("X-Rollcall-Endpoint") == "llama")
            } catch {
                await server.killNow()
                throw error
            }

            #expect(await server.stop() == 0)
            try await eventually("the model is gone once two polls have failed") { try await entry() == nil }
            let failed = try await gateway.server.endpoint("llama")
            #expect(failed["state"].string == "offline")
            #expect((failed["consecutive_failures"].integer ?? 0) >= 2)
            #expect(failed["last_error"]["code"].string == "connect_failed")

            let again = try await LlamaServer.start(in: deployment.folder, port: port)
            defer { again.signal(SIGKILL) }
            try await eventually("the model is back", within: .seconds(70)) { try await entry() != nil }
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func openAIClientListsAndRetrieves() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("a", kind: "vllm", models: ["org/name", "org/deep/er-name", "plain:7b", "with space"])
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(["a"])])
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway()
            try await eventually("the models are listed") { try await gateway.server.models().count == 4 }

            let output = try await run(
                try #require(Paths.python).path,
                [Paths.programs.appendingPathComponent("openai_client.py").path, gateway.server.base + "/v1"])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            let expected: [JSON] = ["org/deep/er-name", "org/name", "plain:7b", "with space"].map { .string($0) }
            #expect(seen["listed"].array == expected)
            #expect(seen["retrieved"].array == expected)
            #expect(seen["equal"].bool == true)
            #expect(seen["missing"].string == "model_not_found")
        }
    }

    /// A model goes the whole way: registered, downloaded by its manifest alone, served, listed, ready, verified.
    @Test(.timeLimit(.minutes(5)))
    func aManifestIsEnoughToServeTheModel() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            let source = deployment.folder.appendingPathComponent("source")
            try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
            let file = source.appendingPathComponent("gemma-3-270m-Q4_K_M.gguf")
            _ = try await run(
                try #require(Paths.python).path,
                [Paths.programs.appendingPathComponent("model_file.py").path, LlamaServer.model.path])
            try FileManager.default.createSymbolicLink(at: file, withDestinationURL: LlamaServer.model)
            try await fleet.hub.put("google/gemma-3-270m", ["directory": source.path])
            let port = try Ports.free()
            _ = try await deployment.registrar(
                "registrar",
                fleet.hub.settings().merging(["ROLLCALL_ENDPOINTS": "llama=http://127.0.0.1:\(port)"]) { $1 })
            _ = try await deployment.poller("poller", ["ROLLCALL_POLL_INTERVAL": "2"])
            let gateway = try await deployment.readyGateway()

            let name = "google/gemma-3-270m"
            let registered = try await gateway.register(name)
            #expect(registered.status == 201, "\(registered.text)")
            #expect(try registered.json()["quantization"].string == "Q4_K_M")
            #expect(try await fleet.hub.weightsRequests() == 0)

            let target = deployment.folder.appendingPathComponent("node")
            let output = try await run(
                try #require(Paths.python).path,
                [
                    Paths.programs.appendingPathComponent("manifest_download.py").path,
                    "\(gateway.server.base)/v0/models/registry/\(name)/manifest.json", target.path,
                ])
            let downloaded = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))["files"].array
            let path = try #require(downloaded.first { $0["role"].string == "weights" }?["path"].string)
            #expect(try await gateway.registered(name)["status"].string == "registered")

            let server = try await LlamaServer.start(
                in: deployment.folder, port: port, model: URL(fileURLWithPath: path))
            defer { server.signal(SIGKILL) }
            let ready = try await eventually("the model is ready", within: .seconds(70)) {
                let model = try await gateway.registered(name)
                return model["status"].string == "ready" ? model : nil
            }
            #expect(ready["endpoints"].array.map { $0["name"].string } == ["llama"])
            let entry = try await gateway.server.get("/v1/models/\(name)").json()
            #expect(entry["registration"].string == name)

            let verified = try await gateway.server.send("POST", "/v0/models/\(name)/verify", body: "{}")
            #expect(verified.status == 200, "\(verified.text)")
            let result = try verified.json()["verification"].array[0]
            #expect(result["outcome"].string == "ok")
            #expect((result["tokens"].integer ?? 0) >= 1)
            #expect(result["text"].string?.isEmpty == false)
        }
    }

    /// What OpenAI's client gets through the gateway is what the server says itself.
    @Test(.timeLimit(.minutes(5)))
    func answersThroughTheGatewayAreTheServersOwn() async throws {
        try await Deployment.run { deployment in
            var servers: [ChildProcess] = []
            var ports: [Int] = []
            defer { for server in servers { server.signal(SIGKILL) } }
            for _ in 0..<2 {
                let port = try Ports.free()
                ports.append(port)
                servers.append(try await LlamaServer.start(in: deployment.folder, port: port))
            }
            _ = try await deployment.registrar(
                "registrar",
                ["ROLLCALL_ENDPOINTS": "one=http://127.0.0.1:\(ports[0]),two=http://127.0.0.1:\(ports[1])"])
            _ = try await deployment.poller("poller", ["ROLLCALL_POLL_INTERVAL": "2"])
            let gateway = try await deployment.readyGateway()
            let model = "google/gemma-3-270m"
            try await eventually("both serve the model", within: .seconds(30)) {
                try await gateway.server.get("/v1/models/\(model)").json()["endpoints"].array.count == 2
            }
            let output = try await run(
                try #require(Paths.python).path,
                [
                    Paths.programs.appendingPathComponent("chat_clients.py").path, "openai", gateway.server.base,
                    "http://127.0.0.1:\(ports[0])", model,
                ])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            for kind in ["chat", "streamed", "completion", "embedding", "tools"] {
                #expect(seen[kind]["equal"].bool == true, "\(kind): \(seen[kind])")
            }
            #expect(seen["chat"]["answer"].string?.isEmpty == false)
            #expect(seen["streamed"]["answer"].array.count > 1)

            let chat = try ChildProcess(
                "rollcall", executable: Paths.products.appendingPathComponent("rollcall"),
                arguments: ["chat", model, "One, two, three,", "--max-tokens", "8", "--temperature", "0", "--stats"],
                environment: ["ROLLCALL_URL": gateway.server.base],
                log: deployment.folder.appendingPathComponent("rollcall.log"))
            #expect(await chat.exitStatus() == 0)
            let said = try chat.output
            #expect(said.contains(#/^(?s).+\nendpoint +(one|two)\nfirst token .+\ntokens +8\nspeed +[0-9.]+ tokens/#))
        }
    }
}
