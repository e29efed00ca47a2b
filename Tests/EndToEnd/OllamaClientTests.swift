import Foundation
import Testing

/// Ollama's own client from PyPI against a gateway, and against an Ollama server next to it.
@Suite(
    .serialized, .enabled(if: TestBroker.isAvailable && Paths.python != nil, "needs scripts/test"),
    .timeLimit(.minutes(2)))
struct OllamaClientTests {
    private static let key = "key-of-the-ollama-client"

    /// A gateway that wants a key, with two Ollama servers that have the same models, and one server of another kind.
    private func serving(_ body: (SimulatedFleet, Node) async throws -> Void) async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            for name in ["a", "b"] {
                try await fleet.put(name, kind: "ollama", models: [])
                try await fleet.patch(
                    name,
                    #"{"models":[{"id":"llama3.2:latest","parameters":3000000000,"quantization":"Q4_K_M","loaded":true},"#
                        + #"{"id":"qwen3:8b","parameters":8000000000,"quantization":"Q8_0"}]}"#)
            }
            try await fleet.put("vllm", kind: "vllm", models: ["org/other"])
            _ = try await deployment.registrar(
                "registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(["a", "b", "vllm"])])
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway("gateway", ["ROLLCALL_ADMIN_KEY": Self.key])
            try await eventually("the models are listed") {
                let list = try await gateway.server.send(
                    "GET", "/v1/models", headers: [("Authorization", "Bearer \(Self.key)")]
                ).json()["data"].array
                return list.map { $0["endpoints"].array.count } == [2, 1, 2]
            }
            try await body(fleet, gateway)
        }
    }

    private func client(_ arguments: String...) async throws -> JSON {
        let program = Paths.programs.appendingPathComponent("ollama_client.py").path
        let output = try await run(
            try #require(Paths.python).path, [program] + arguments, environment: ["OLLAMA_API_KEY": Self.key])
        return try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
    }

    @Test func theClientGetsWhatTheServerGives() async throws {
        try await serving { fleet, gateway in
            let through = try await client("all", gateway.server.base, "llama3.2", "org/other")
            let direct = try await client("all", fleet.base("a"), "llama3.2:latest", "org/other")
            #expect(through["list"].array.map { $0["model"].string } == ["llama3.2:latest", "qwen3:8b"])
            #expect(through["list"].array.allSatisfy { ($0["size"].integer ?? 0) > 0 })
            #expect(through["ps"].array.map { $0["model"].string } == ["llama3.2:latest"])
            for same in ["chat_ended", "embed", "embeddings"] {
                #expect(through[same] == direct[same] && through[same] != .null, "\(same)")
            }
            // The server writes "3.0B" for what is 3B.
            for list in ["list", "ps"] {
                for (ours, own) in zip(through[list].array, direct[list].array) {
                    for field in ["model", "digest", "size", "family", "quantization_level"] {
                        #expect(ours[field] == own[field] && own[field] != .null, "\(list): \(field)")
                    }
                }
            }
            #expect(through["show"] == direct["show"], "\(through["show"]) and \(direct["show"])")
            // Either of the two servers.
            let greetings = ["a", "b"].map {
                "Hello from \($0), a simulated server that gives the same answer to each of its clients."
            }
            for said in ["chat_streamed", "generate_streamed"] {
                let text = through[said].array.compactMap(\.string).joined()
                #expect(greetings.contains(text), "\(text)")
                #expect(through[said].array.count == 17)
            }
            #expect(greetings.contains(through["generate"].string ?? ""))
            #expect(through["chat"].array.dropFirst() == [.bool(true), .string("stop")])

            for unknown in ["unknown", "unknown_streamed", "unknown_shown"] {
                #expect(through[unknown].array.last?.integer == 404)
                #expect(through[unknown].array.first?.string?.contains("model") == true, "\(through[unknown])")
            }
            #expect(through["other"].array.last?.integer == 501)
            #expect(through["other"].array.first?.string?.contains("/v1/chat/completions") == true)
            for change in ["pull", "delete"] {
                #expect(through[change].array.last?.integer == 501)
                #expect(through[change].array.first?.string?.contains("no pull API") == true, "\(through[change])")
            }
        }
    }

    /// The client must not take half an answer for a whole one.
    @Test func theClientSeesThatAStreamBroke() async throws {
        try await serving { fleet, gateway in
            for name in ["a", "b"] { try await fleet.patch(name, #"{"behaviour":{"completion_fault":"half_chunk"}}"#) }
            let seen = try await client("broken", gateway.server.base, "llama3.2")
            #expect(seen["seen"].array == [.string("Hello")])
            #expect(seen["error"].string == "The endpoint broke off its answer.")
        }
    }
}
