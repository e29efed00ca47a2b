import Catalog
import Foundation
import Testing

@testable import Gateway

extension Answer {
    /// The message and the code, once the body is shown to have exactly the shape that Ollama's clients read.
    func ollamaError() throws -> (message: String, code: String) {
        let whole = try json()
        #expect(Set(whole.keys) == ["error", "code"], "\(text)")
        return (try #require(whole["error"] as? String), try #require(whole["code"] as? String))
    }
}

/// What Ollama's clients read of the catalog.
@Suite struct OllamaReadTests {
    private static let digest = String(repeating: "0a8c2669", count: 8)

    private static func snapshot(
        _ number: Int, kind: EndpointKind, state: EndpointState = .online, _ models: [ModelEntry]
    ) -> CatalogMessage {
        let row = SnapshotRow(
            endpoint: ListedEndpoint.id(number), generation: Int64(number), tick: 10, poller: "p", state: state,
            kind: kind, observedAt: 1_700_000_002_345, digest: "d\(number)", models: models)
        return .snapshotBatch(SnapshotBatch(poller: "p", rows: [row]))
    }

    private static func model(
        _ id: String, digest: String? = digest, size: Int64? = 4_683_075_271, loaded: Bool? = nil,
        firstSeen: Int64 = 1_746_889_608
    ) -> ModelEntry {
        ModelEntry(
            id: ModelID(id), quantization: "Q4_K_M", parameterCount: 7_600_000_000, architecture: "qwen2",
            loaded: loaded, contentDigest: digest, sizeBytes: size, firstSeen: firstSeen)
    }

    /// `a` and `b` are Ollama, `c` is vLLM, `d` is an Ollama that is down.
    private static let messages: [CatalogMessage] =
        ["a", "b", "c", "d"].enumerated().map {
            Fleet.record(ListedEndpoint.id($0 + 1), $1, revision: Int64($0 + 1))
        } + [
            snapshot(
                1, kind: .ollama,
                [
                    model("qwen2.5:latest"), model("llama3.2:3b"),
                    model("nomic-embed-text:latest", digest: nil, size: nil),
                ]),
            snapshot(
                2, kind: .ollama,
                [
                    model("qwen2.5:latest", digest: "other", size: 1, loaded: true, firstSeen: 1_746_405_464),
                    ModelEntry(id: ModelID("bare:1b"), firstSeen: 1_746_405_464),
                ]),
            snapshot(3, kind: .vllm, [model("org/vllm-model"), model("llama3.2:3b")]),
            snapshot(4, kind: .ollama, state: .offline, [model("gone:1b")]),
        ]

    private func bench(_ more: [CatalogMessage] = [], adminKey: String? = nil) throws -> Bench {
        try Bench(Self.messages + more, adminKey: adminKey)
    }

    private func models(_ answer: Answer) throws -> [[String: Any]] {
        try #require(answer.json()["models"] as? [[String: Any]], "\(answer.text)")
    }

    @Test func theVersionIsOneThatClientsCompare() async throws {
        let answer = try await bench().send("GET", "/api/version")
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
        #expect(try answer.json().keys.elementsEqual(["version"]))
        let version = try #require(answer.json()["version"] as? String)
        #expect(version.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+/) != nil)
    }

    /// The list is the menu of a client: it has what `/api/chat` can serve.
    @Test func tagsListsWhatOllamaEndpointsServe() async throws {
        let answer = try await bench().send("GET", "/api/tags")
        let models = try models(answer)
        #expect(answer.status == 200)
        #expect(answer.header("X-Catalog-Version") != nil, "a poller must see that it is a gateway's list")
        #expect(
            models.map { $0["name"] as? String } == [
                "bare:1b", "llama3.2:3b", "nomic-embed-text:latest", "qwen2.5:latest",
            ])
        for model in models {
            #expect(
                Set(model.keys) == ["name", "model", "modified_at", "size", "digest", "details"], "\(model)")
            #expect(model["model"] as? String == model["name"] as? String)
        }
        let qwen = models[3]
        #expect(qwen["digest"] as? String == Self.digest, "that of the first endpoint by name")
        #expect(qwen["size"] as? Int == 4_683_075_271)
        #expect(qwen["modified_at"] as? String == "2025-05-05T00:37:44Z", "since when a model is served")
        let details = try #require(qwen["details"] as? NSDictionary)
        #expect(
            details == [
                "parent_model": "", "format": "", "family": "qwen2", "families": ["qwen2"],
                "parameter_size": "7.6B", "quantization_level": "Q4_K_M",
            ])
        // The command line cuts twelve characters off each digest and breaks if there are fewer.
        #expect(models[0]["digest"] as? String == String(repeating: "0", count: 64))
        #expect(models[0]["size"] as? Int == 0)
        #expect(
            models[0]["details"] as? NSDictionary == [
                "parent_model": "", "format": "", "family": "", "families": NSNull(), "parameter_size": "",
                "quantization_level": "",
            ])
    }

    @Test func psListsWhatIsLoaded() async throws {
        let models = try models(try await bench().send("GET", "/api/ps"))
        #expect(models.map { $0["name"] as? String } == ["qwen2.5:latest"])
        let loaded = try #require(models.first)
        #expect(
            Set(loaded.keys) == ["name", "model", "size", "digest", "details", "expires_at"],
            "\(loaded)")
        let expires = try #require(loaded["expires_at"] as? String)
        #expect(try Date(expires, strategy: .iso8601) > .now, "the command line shows what is past as stopping")
    }

    @Test(arguments: [
        #"{"model":"qwen2.5"}"#, #"{"name":"qwen2.5"}"#, #"{"model":"qwen2.5:latest","verbose":true}"#,
        #"{"model":"","name":"qwen2.5:latest"}"#, #"{"model":"qwen2.5","name":"none"}"#,
    ])
    func showTakesTheModelByEitherKey(body: String) async throws {
        let answer = try await bench().send("POST", "/api/show", body)
        #expect(answer.status == 200, "\(answer.text)")
        let shown = try answer.json()
        #expect(
            Set(shown.keys) == [
                "modelfile", "parameters", "template", "details", "model_info", "capabilities", "modified_at",
            ])
        let info = try #require(shown["model_info"] as? NSDictionary)
        #expect(info == ["general.architecture": "qwen2", "general.parameter_count": 7_600_000_000])
        #expect(shown["capabilities"] as? [String] == ["completion"])
        #expect((shown["details"] as? [String: Any])?["family"] as? String == "qwen2")
        #expect(shown["modelfile"] as? String == "" && shown["template"] as? String == "")
    }

    @Test func showRefusesWhatItCannotShow() async throws {
        let bench = try bench()
        let other = try await bench.send("POST", "/api/show", #"{"model":"org/vllm-model"}"#)
        #expect(try other.status == 501 && other.ollamaError().code == "model_not_on_ollama")
        #expect(try other.ollamaError().message.contains("/v1/chat/completions"))
        for (body, status, code) in [
            (#"{"model":"none"}"#, 404, "model_not_found"), ("{}", 400, "model_required"),
            (#"{"model":null,"name":null}"#, 400, "model_required"), (#"{"name":7}"#, 400, "invalid_type"),
            (#"{"Model":"qwen2.5"}"#, 400, "invalid_field"), (#"{"model":"a","model":"b"}"#, 400, "duplicate_field"),
            ("[]", 400, "invalid_json"), (#"{"model":"gone:1b"}"#, 503, "model_not_available"),
        ] {
            let answer = try await bench.send("POST", "/api/show", body)
            #expect(try answer.status == status && answer.ollamaError().code == code, "\(body): \(answer.text)")
        }
        let form = try await bench.send("POST", "/api/show", "x", headers: ["content-type": "text/plain"])
        #expect(try form.status == 415 && form.ollamaError().code == "unsupported_media_type")
    }

    @Test func aKeySeesItsModelsOnly() async throws {
        let keys = [
            Keys.made("qwen", scopes: [.models], models: ["qwen*"]),
            Keys.made("inference", scopes: [.inference]),
        ]
        let bench = try bench(keys, adminKey: Keys.admin)
        let tags = try await bench.send("GET", "/api/tags", headers: Keys.bearer("qwen"))
        #expect(try models(tags).map { $0["name"] as? String } == ["qwen2.5:latest"])
        #expect(tags.header("Cache-Control") == "private, no-cache" && tags.header("Vary") != nil)
        #expect(
            try await bench.send("POST", "/api/show", #"{"model":"qwen2.5"}"#, headers: Keys.bearer("qwen")).status
                == 200)
        let hidden = try await bench.send("POST", "/api/show", #"{"model":"bare:1b"}"#, headers: Keys.bearer("qwen"))
        #expect(try hidden.status == 404 && hidden.ollamaError().code == "model_not_found")
        for (method, path) in [
            ("GET", "/api/version"), ("GET", "/api/tags"), ("GET", "/api/ps"), ("POST", "/api/show"),
        ] {
            let nobody = try await bench.send(method, path)
            #expect(try nobody.status == 401 && nobody.ollamaError().code == "missing_api_key", "\(path)")
            let other = try await bench.send(method, path, headers: Keys.bearer("inference"))
            #expect(try other.status == 403 && other.ollamaError().code == "insufficient_scope", "\(path)")
        }
    }

    @Test func nothingIsListedBeforeTheCatalogIsComplete() async throws {
        let bench = try bench()
        bench.catalog.setReadiness { $0.isReady = false }
        for (method, path) in [("GET", "/api/tags"), ("GET", "/api/ps"), ("POST", "/api/show")] {
            let answer = try await bench.send(method, path, method == "POST" ? #"{"model":"qwen2.5"}"# : nil)
            #expect(try answer.status == 503 && answer.ollamaError().code == "catalog_not_ready", "\(path)")
        }
        bench.catalog.setReadiness { $0.isReady = true }
        #expect(try await Bench().send("GET", "/api/tags").text == #"{"models":[]}"#)
    }

    @Test(arguments: [
        ("POST", "/api/pull"), ("POST", "/api/push"), ("POST", "/api/create"), ("POST", "/api/copy"),
        ("DELETE", "/api/delete"), ("POST", "/api/blobs/sha256:29fd"), ("HEAD", "/api/blobs/sha256:29fd"),
    ])
    func changesOfModelsAreRefusedWithWhatToDo(method: String, path: String) async throws {
        let answer = try await bench().send(method, path, #"{"model":"qwen2.5"}"#)
        #expect(answer.status == 501)
        guard method != "HEAD" else { return }
        let (message, code) = try answer.ollamaError()
        #expect(code == "models_are_managed_by_nodes")
        #expect(message.contains("no pull API") && message.contains("ollama pull"), "\(message)")
    }

    /// Every error below `/api/` has the shape of Ollama's, also that of a path that is no route.
    @Test func errorsBelowAPIAreOllamas() async throws {
        let bench = try bench()
        let unknown = try await bench.send("GET", "/api/nothing")
        #expect(try unknown.status == 404 && unknown.ollamaError().code == "route_not_found")
        #expect(try unknown.ollamaError().message.contains("/api/tags"))
        let method = try await bench.send("POST", "/api/tags")
        #expect(try method.status == 405 && method.ollamaError().code == "method_not_allowed")
        #expect(method.header("Allow") == "GET, HEAD")
        // A base URL for OpenAI's clients, given to one of Ollama's.
        let mistaken = try await bench.send("GET", "/v1/api/tags")
        let error = try #require(mistaken.json()["error"] as? [String: Any])
        #expect((error["message"] as? String)?.contains("Did you mean /api/tags?") == true, "\(mistaken.text)")
    }
}
