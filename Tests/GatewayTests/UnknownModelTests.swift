import Catalog
import Curl
import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What a client is told that asks for a model which is not there.
@Suite struct UnknownModelTests {
    static let ids = [
        "Qwen/Qwen3-8B", "qwen3:8b", "qwen3:14b", "llama3.1:latest", "DeepSeek-R1-Distill-32B-Q4_K_M.gguf",
        "mistral-small", "BAAI/bge-m3", "org/family/model",
    ]

    static func fleet(_ ids: [String]) -> [CatalogMessage] {
        [
            Fleet.record(Fleet.firstID, "alpha", revision: 1),
            Fleet.row(Fleet.firstID, generation: 1, tick: 10, models: ids),
        ]
    }

    static func message(
        _ bench: Bench, _ id: String, headers: [String: String] = [:], _ location: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let path = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let answer = try await bench.send("GET", "/v1/models/" + path, headers: headers)
        #expect(try answer.status == 404 && answer.errorCode() == "model_not_found", sourceLocation: location)
        let error = try #require(answer.json()["error"] as? [String: Any], sourceLocation: location)
        return try #require(error["message"] as? String, sourceLocation: location)
    }

    /// The ids that a message suggests, in its order.
    static func suggested(_ message: String) -> [String] {
        guard let start = message.range(of: "Did you mean ") else { return [] }
        let rest = message[start.upperBound...].prefix { $0 != "?" }
        return rest.split(separator: "\"").enumerated().filter { $0.offset % 2 == 0 }.map { String($0.element) }
    }

    /// A key for inference alone may use a model that it knows, and not learn which there are.
    @Test func whoMayNotListModelsIsToldNoNames() throws {
        let anonymous: [(scopes: Set<Scope>, isTold: Bool)] = [([.inference], false), ([.inference, .models], true)]
        for (scopes, isTold) in anonymous + [([], false)] {
            let bench = try Bench(Self.fleet(Self.ids) + Keys.usual, adminKey: Keys.admin, anonymousScopes: scopes)
            func names(_ headers: [String: String]) throws -> Bool {
                let request = try bench.request("POST", "/v1/chat/completions", "{}", headers: headers)
                let caller = try bench.responder.access.caller(of: request, for: .inference)
                let failure = HTTPFailure.unknownModel(
                    "qwen3:9b", for: caller, in: bench.catalog.view, bench.responder.lists)
                return failure.error.message.contains("qwen3:8b") || failure.error.message.contains("GET /v1/models")
            }
            #expect(try names(Keys.bearer("only-inference")) == isTold)
            #expect(try names(["X-API-Key": Keys.admin]))
            if scopes.contains(.inference) { #expect(try names([:]) == isTold) }
        }
        let open = try Bench(Self.fleet(Self.ids) + Keys.usual)
        let request = try open.request("POST", "/v1/chat/completions", "{}", headers: Keys.bearer("only-inference"))
        #expect(try open.responder.access.caller(of: request, for: .inference).mayList)
    }

    @Test(
        arguments: [
            // Letter case, the organisation, a provider's prefix.
            ("qwen/qwen3-8b", "Qwen/Qwen3-8B"), ("Qwen3-8B", "Qwen/Qwen3-8B"), ("unsloth/Qwen3-8B", "Qwen/Qwen3-8B"),
            ("hosted_vllm/Qwen/Qwen3-8B", "Qwen/Qwen3-8B"), ("ollama/qwen3:14b", "qwen3:14b"),
            ("bge-m3", "BAAI/bge-m3"),
            ("family/model", "org/family/model"),
            // The tag, the quantization, the file's ending.
            ("llama3.1", "llama3.1:latest"), ("LLAMA3.1", "llama3.1:latest"), ("qwen3", "Qwen/Qwen3-8B"),
            ("qwen3:8b-instruct-q4_K_M", "qwen3:8b"), ("mistral-small:latest", "mistral-small"),
            ("Qwen3-8B-Q4_K_M.gguf", "Qwen/Qwen3-8B"),
            ("DeepSeek-R1-Distill-32B", "DeepSeek-R1-Distill-32B-Q4_K_M.gguf"),
            ("DeepSeek-R1-Distill-32B-Q8_0.gguf", "DeepSeek-R1-Distill-32B-Q4_K_M.gguf"),
            ("unsloth/deepseek-r1-distill-32b-q4_k_m", "DeepSeek-R1-Distill-32B-Q4_K_M.gguf"),
            // Typing.
            ("mistal-small", "mistral-small"), ("mistral_small", "mistral-small"),
            ("lama3.1:latest", "llama3.1:latest"),
            ("qwen3:7b", "qwen3:8b"), ("Qwen/Qwen3-8b-", "Qwen/Qwen3-8B"),
        ])
    func theNearestIDIsNamedFirst(_ asked: String, _ meant: String) async throws {
        let message = try await Self.message(Bench(Self.fleet(Self.ids)), asked)
        #expect(message.contains("\"\(asked)\""), "\(message)")
        #expect(Self.suggested(message).first == meant, "\(message)")
        #expect(Self.suggested(message).count <= 3, "\(message)")
    }

    @Test func whereNothingIsNearTheListIsNamed() async throws {
        let bench = try Bench(Self.fleet(Self.ids))
        for asked in ["gpt-4o", "x", "claude-sonnet-4-5", String(repeating: "q", count: 200)] {
            let message = try await Self.message(bench, asked)
            #expect(!message.contains("Did you mean") && message.contains("GET /v1/models"), "\(message)")
            #expect(message.contains("8 models"), "\(message)")
        }
        // Of a few models all are named.
        let few = try await Self.message(Bench(Self.fleet(["org/only", "b"])), "gpt-4o")
        #expect(few.contains("\"b\", \"org/only\""), "\(few)")
    }

    @Test func aFleetWithoutModelsIsToldApart() async throws {
        let none = try await Self.message(Bench(), "gpt-4o")
        #expect(none.contains("no endpoint") && none.contains("POST /v0/endpoints"), "\(none)")
        let away = try Bench([
            Fleet.record(Fleet.firstID, "alpha", revision: 1),
            Fleet.row(Fleet.firstID, generation: 1, tick: 10, models: ["m"]),
            Fleet.row(Fleet.firstID, generation: 1, tick: 11, state: .offline),
        ])
        let offline = try await Self.message(away, "gpt-4o")
        #expect(offline.contains("GET /v0/endpoints") && !offline.contains("POST"), "\(offline)")
    }

    @Test func theIDIsShownInSafeCharactersAndShort() async throws {
        let bench = try Bench(Self.fleet(Self.ids))
        for asked in ["a\u{0}b\nc\u{202E}d\u{200B}e", String(repeating: "x", count: 30_000), "\"><script>", "é\u{301}"]
        {
            let message = try await Self.message(bench, asked)
            #expect(message.utf8.count < 500, "\(message.utf8.count) bytes")
            let isSafe = message.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
            }
            #expect(isSafe, "\(message.debugDescription)")
        }
        // An id that cannot be shown as it is helps nobody.
        let strange = try await Self.message(Bench(Self.fleet(["mo\u{200B}del", "other-model"])), "model")
        #expect(!strange.unicodeScalars.contains("\u{200B}"), "\(strange.debugDescription)")
    }

    /// A key learns nothing of models that it does not see: neither their ids nor that there are any.
    @Test func aKeyWithPatternsIsAnsweredAsIfThereWereNoOthers() async throws {
        let own = ["org/qwen3-8b", "org/qwen3-14b", "org/mistral"]
        let others = (0..<700).map { "secret/qwen3-\($0)" } + ["qwen3-8b:latest", "qwen3-8b-x", "zorg/mistral", "org"]
        let key = [Keys.made("org", scopes: [.models], models: ["org/*"])]
        let none = [Keys.made("none", scopes: [.models], models: ["nothing/*"])]
        let alone = try Bench(Self.fleet(own) + key + none, adminKey: Keys.admin)
        let among = try Bench(Self.fleet(own + others) + key + none, adminKey: Keys.admin)
        let asked = [
            "qwen3-8b", "secret/qwen3-8", "secret/qwen3-8b", "qwen3-1", "mistral", "zorg/mistral", "org", "secret",
            "qwen3-8b-y", "nothing/here", "org/qwen3-9b",
        ]
        for holder in ["org", "none"] {
            for id in asked {
                let message = try await Self.message(among, id, headers: Keys.bearer(holder))
                #expect(try await Self.message(alone, id, headers: Keys.bearer(holder)) == message)
                if !id.contains("secret") { #expect(!message.contains("secret"), "\(message)") }
            }
        }
        let near = try await Self.message(among, "org/qwen3-9b", headers: Keys.bearer("org"))
        #expect(Self.suggested(near).first == "org/qwen3-8b", "\(near)")
        #expect(!(try await Self.message(among, "x", headers: Keys.bearer("none"))).contains("endpoint"))
    }
}

extension LiveInferenceTests {
    @Suite struct UnknownModelRequestTests {
        @Test func inferenceNamesTheNearestIDToo() async throws {
            let server = RawServer.answeringRequests()
            let key = Keys.made("org", scopes: [.inference, .models], models: ["org/*"])
            let endpoint = ListedEndpoint(port: server.port, models: ["org/qwen3-8b", "secret/qwen3-8b", "other"])
            try await withGateway([endpoint], more: [key], adminKey: Keys.admin) { gateway async throws in
                let all = [("X-API-Key", Keys.admin)]
                let some = [("X-API-Key", "rc_org")]
                for (asked, headers, meant, hidden) in [
                    ("qwen3-8b", all, "\"secret/qwen3-8b\"", "none"), ("othr", all, "\"other\"", "none"),
                    ("qwen3-8b", some, "\"org/qwen3-8b\"", "secret"), ("other", some, "\"other\"", "secret"),
                ] {
                    let answer = try await gateway.post(#"{"model":"\#(asked)"}"#, headers: headers)
                    #expect(try answer.status == 404 && answer.errorCode() == "model_not_found")
                    let text = answer.text.replacingOccurrences(of: "\\\"", with: "\"")
                    #expect(text.contains(meant) && text.contains("\"\(asked)\"") && !text.contains(hidden), "\(text)")
                }
                #expect(server.connectionCount == 0)
            }
        }
    }
}
