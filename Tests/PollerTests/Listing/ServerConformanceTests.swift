import Catalog
import TestSupport
import Testing

@testable import Poller

/// A server that answers as a real one does, on every path that a poll may ask for. See docs/servers.md.
struct ConformingServer: Sendable, CustomTestStringConvertible {
    typealias Answers = [String: Result<EndpointAnswer, PollError>]

    let name: String
    let kind: EndpointKind
    /// One text a model, as `ConformingServer.text` writes it.
    let models: [String]
    let answers: @Sendable () throws -> Answers
    var fallback = EndpointAnswer.status(404, #"{"detail":"Not Found"}"#)

    var testDescription: String { name }

    /// `id context/largest capabilities loaded parent [aliases]`, without what the server does not say.
    static func text(_ model: ModelEntry) -> String {
        let context = model.contextLength.map { " \($0)" } ?? ""
        let largest = model.contextLengthMax.map { "/\($0)" } ?? ""
        let capabilities = (model.capabilities?.names ?? []).map { " \($0)" }.joined()
        let loaded = model.loaded.map { $0 ? " loaded" : " unloaded" } ?? ""
        let parent = model.parent.map { " of \($0)" } ?? ""
        let aliases = model.aliases.map { " \($0.map(\.value))" } ?? ""
        return model.id.value + context + largest + capabilities + loaded + parent + aliases
    }
}

extension EndpointAnswer {
    static func status(_ status: Int, _ text: String) -> Result<EndpointAnswer, PollError> {
        .success(EndpointAnswer(status: status, body: Array(text.utf8)))
    }

    static func fixture(_ name: String) throws -> Result<EndpointAnswer, PollError> {
        .success(EndpointAnswer(status: 200, body: try FixtureFolder.endpoints.body(name)))
    }
}

struct ServerConformanceTests {
    private static func poll(
        _ server: ScriptedServer, _ item: PollItem, _ memo: PollMemo?
    ) async throws(PollError) -> EndpointPoll.Outcome {
        let poll = EndpointPoll(
            transport: server, keys: EndpointKeys(keyRing: nil), timeout: .seconds(5), clock: ManualClock().clock)
        return try await poll(item, memo: memo)
    }

    /// The first poll finds out the kind. The next ones, by the same poller and by one that knows only the catalog, find the
    /// same.
    @Test(arguments: ConformingServer.all)
    func aServerIsReadAlikeAtEachPoll(_ expected: ConformingServer) async throws {
        let server = ScriptedServer(try expected.answers(), fallback: expected.fallback)
        let endpoint = Samples.endpoint("e")
        let first = try await Self.poll(server, PollItem(endpoint: endpoint, tick: 1, base: nil), nil)
        #expect(first.kind == expected.kind)
        #expect(first.models.map(ConformingServer.text) == expected.models)
        var base = Samples.row("e", tick: 1)
        (base.kind, base.digest, base.models) = (first.kind, first.digest, first.models)
        let next = PollItem(endpoint: endpoint, tick: 2, base: base)
        let asked = server.paths.count
        let second = try await Self.poll(server, next, first.memo)
        #expect(second.kind == first.kind && second.models == first.models && second.digest == first.digest)
        #expect(server.paths.count - asked <= 3, "\(server.paths.dropFirst(asked)): the kind was found out again")
        let askedLater = server.paths.count
        let third = try await Self.poll(server, next, second.memo)
        #expect(third.kind == first.kind && third.models == first.models && third.digest == first.digest)
        #expect(server.paths.count - askedLater <= 2)
        let other = try await Self.poll(server, next, nil)
        #expect(other.kind == first.kind && other.models == first.models && other.digest == first.digest)
    }

    /// Whatever they answer, nobody may take them for a server of another kind than the one that they are.
    @Test(arguments: HostileServer.all)
    func aServerIsNotMisread(_ hostile: HostileServer) async throws {
        let server = ScriptedServer(hostile.answers, fallback: hostile.fallback)
        for former in [nil, EndpointKind.ollama, .lmstudio, .anthropic]
        where former == nil || former != hostile.lookAlike {
            for state in former == nil ? [.online] : [EndpointState.online, .offline] {
                var base: SnapshotRow?
                if let former {
                    base = Samples.row("e", tick: 1, state: state)
                    base?.kind = former
                }
                let context = "\(state) \(String(describing: former))"
                do throws(PollError) {
                    let item = PollItem(endpoint: Samples.endpoint("e"), tick: 2, base: base)
                    let outcome = try await Self.poll(server, item, nil)
                    #expect([.openai, nil].contains(outcome.kind), "\(context)")
                    #expect(outcome.models.map(\.id.value) == hostile.models, "\(context)")
                } catch {
                    // Without an answer the kind stands until the endpoint is offline.
                    #expect(hostile.models == nil || error.isTransport && state == .online, "\(context) \(error)")
                }
            }
        }
    }
}

extension ConformingServer {
    private static func server(
        _ name: String, _ kind: EndpointKind, _ models: String..., answers: @escaping @Sendable () throws -> Answers
    ) -> ConformingServer {
        ConformingServer(name: name, kind: kind, models: models, answers: answers)
    }

    static let all: [ConformingServer] = named + native + plain

    private static let named: [ConformingServer] = [
        server(
            "vLLM with adapters", .vllm, "meta-llama/Llama-3.2-3B-Instruct 131072",
            "sql-lora 131072 of meta-llama/Llama-3.2-3B-Instruct"
        ) {
            [
                "/v1/models": try EndpointAnswer.fixture("vllm.v1_models_lora.json"),
                "/version": try EndpointAnswer.fixture("vllm.version.json"),
                "/health": EndpointAnswer.ok(""),
            ]
        },
        server("vLLM under another owner's name", .vllm, "m 4096") {
            [
                "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"m","owned_by":"acme","max_model_len":4096}]}"#),
                "/version": try EndpointAnswer.fixture("vllm.version.json"),
            ]
        },
        server("SGLang, which imitates Ollama", .sglang, "Ling-3.0-tiny-bf16 131072") {
            [
                "/v1/models": try EndpointAnswer.fixture("sglang.v1_models.json"),
                "/get_model_info": try EndpointAnswer.fixture("sglang.get_model_info.json"),
                "/api/tags": EndpointAnswer.ok(
                    #"""
                    {"models":[{"name":"Ling-3.0-tiny-bf16","model":"Ling-3.0-tiny-bf16","size":0,
                    "modified_at":"2026-01-01T00:00:00.000Z",
                    "digest":"sha256:sglang0000000000000000000000000000000000000000000000000000000000",
                    "details":{"format":"sglang","family":"Ling-3.0-tiny-bf16","parameter_size":"unknown"}}]}
                    """#
                ),
                "POST /api/show": EndpointAnswer.ok(#"{"capabilities":["completion"],"model_info":{}}"#),
            ]
        },
        // As a running server answers.
        server("llama.cpp with one model and aliases", .llamacpp, "fim 1024 [\"gemma\", \"google/gemma-3-270m\"]") {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"""
                    {"models":[{"name":"fim","model":"fim","modified_at":"","size":"","digest":"","type":"model","tags":[""],
                    "capabilities":["completion"],"details":{"format":"gguf","quantization_level":""}}],
                    "object":"list","data":[{"id":"fim","aliases":["fim","gemma","google/gemma-3-270m"],"tags":[],
                    "object":"model","architecture":{"input_modalities":["text"],"output_modalities":["text"]},
                    "owned_by":"llamacpp","meta":{"n_ctx":1024,"n_ctx_train":32768,"n_params":268098176}}]}
                    """#),
                "/props": EndpointAnswer.ok(#"{"default_generation_settings":{"n_ctx":1024},"model_alias":"fim"}"#),
            ]
        },
        server("llama.cpp with one model, a projector, and an alias", .llamacpp, "gemma 4096 vision [\"g\"]") {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"{"object":"list","data":[{"id":"gemma","aliases":["g","gemma"],"owned_by":"llamacpp","meta":null}]}"#
                ),
                "/props": EndpointAnswer.ok(
                    #"{"default_generation_settings":{"n_ctx":4096},"modalities":{"vision":true,"audio":false}}"#),
                "/api/tags": EndpointAnswer.ok(
                    #"{"models":[{"name":"gemma","model":"gemma","size":"","digest":"","details":{"format":"gguf"}}]}"#),
            ]
        },
        server(
            "llama.cpp as a router", .llamacpp, "acme-coder-30b unloaded [\"acme-coder\", \"fim\"]", "ready loaded"
        ) {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"""
                    {"object":"list","data":[{"id":"acme-coder-30b","aliases":["fim","acme-coder","acme-coder-30b"],
                    "owned_by":"llamacpp","tags":["code"],"status":{"value":"unloaded"}},
                    {"id":"ready","aliases":[],"owned_by":"llamacpp","status":{"value":"loaded","args":["x"]}},
                    {"id":"broken","owned_by":"llamacpp","status":{"value":"unloaded","failed":true}}]}
                    """#),
                "/props": EndpointAnswer.ok(#"{"role":"router","default_generation_settings":null}"#),
            ]
        },
        server("Anthropic", .anthropic, "claude-a", "claude-b vision") {
            [
                "/v1/models": EndpointAnswer.status(
                    401, #"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#),
                "anthropic /v1/models": try EndpointAnswer.fixture("anthropic.v1_models_page1_has_more.json"),
                "anthropic /v1/models?after_id=claude-a": EndpointAnswer.ok(
                    #"""
                    {"data":[{"type":"model","id":"claude-b","display_name":"B","created_at":"2026-01-01T00:00:00Z",
                    "capabilities":{"image_input":{"supported":true}}}],"has_more":false,"last_id":"claude-b"}
                    """#
                ),
            ]
        },
    ]

    private static let tags =
        #"""
        {"models":[{"name":"qwen3:latest","model":"qwen3:latest","size":5,"digest":"ab12",
        "details":{"quantization_level":"Q4_K_M","family":"qwen3"}},
        {"name":"nomic:v1","model":"nomic:v1","size":5,"digest":"cd34","details":{"quantization_level":"F16"}}]}
        """#
    private static let downloaded =
        #"""
        {"object":"list","data":[{"id":"a","type":"vlm","compatibility_type":"gguf","state":"loaded",
        "max_context_length":32768,"loaded_context_length":4096,"capabilities":["tool_use"]},
        {"id":"b","type":"embeddings","compatibility_type":"gguf","state":"not-loaded","max_context_length":2048}]}
        """#

    private static let native: [ConformingServer] = [
        server(
            "Ollama", .ollama, "nomic:v1 2048/2048 embeddings unloaded", "qwen3:latest 8192/40960 vision tools loaded"
        ) {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"""
                    {"object":"list","data":[{"id":"qwen3:latest","owned_by":"library"},
                    {"id":"nomic:v1","owned_by":"library"}]}
                    """#),
                "/api/tags": EndpointAnswer.ok(tags),
                "/api/version": try EndpointAnswer.fixture("ollama.api_version.json"),
                "/api/ps": EndpointAnswer.ok(
                    #"{"models":[{"name":"qwen3:latest","expires_at":"2026-01-01T00:00:00Z","context_length":8192}]}"#),
                #"POST /api/show {"model":"qwen3:latest"}"#: EndpointAnswer.ok(
                    #"""
                    {"capabilities":["completion","vision","tools","thinking"],
                    "model_info":{"general.architecture":"qwen3","qwen3.context_length":40960}}
                    """#),
                #"POST /api/show {"model":"nomic:v1"}"#: EndpointAnswer.ok(
                    #"""
                    {"capabilities":["embedding"],
                    "model_info":{"general.architecture":"nomic-bert","nomic-bert.context_length":2048}}
                    """#),
            ]
        },
        server("an old Ollama", .ollama, "nomic:v1", "qwen3:latest") {
            ["/api/tags": EndpointAnswer.ok(tags), "/api/version": EndpointAnswer.ok(#"{"version":"0.1.20"}"#)]
        },
        lmStudio(
            "LM Studio with just-in-time loading", "a 4096/32768 vision tools loaded",
            "b 2048/2048 embeddings unloaded", usable: #"{"id":"a"},{"id":"b"}"#),
        lmStudio(
            "LM Studio without just-in-time loading", "a 4096/32768 vision tools loaded", usable: #"{"id":"a"}"#),
        lmStudio("LM Studio under a name of the user's", "mine", usable: #"{"id":"mine"}"#),
        ConformingServer(
            name: "LM Studio's newer list", kind: .lmstudio,
            models: ["m 4096/262144 vision tools loaded", "m:2 4096/262144 vision tools loaded"],
            answers: {
                [
                    "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"m"},{"id":"m:2"}]}"#),
                    "/api/v1/models": EndpointAnswer.ok(
                        #"""
                        {"models":[{"key":"m","type":"llm","loaded_instances":[
                        {"id":"m","config":{"context_length":4096}},{"id":"m:2","config":{"context_length":8192}}],
                        "max_context_length":262144,"capabilities":{"vision":true,"trained_for_tool_use":true}},
                        {"key":"idle","type":"llm","loaded_instances":[],"max_context_length":8192}]}
                        """#),
                ]
            }, fallback: KindDetectorTests.unexpected),
    ]

    private static func lmStudio(_ name: String, _ models: String..., usable: String) -> ConformingServer {
        ConformingServer(
            name: name, kind: .lmstudio, models: models,
            answers: {
                [
                    "/v1/models": EndpointAnswer.ok(#"{"data":[\#(usable)],"object":"list"}"#),
                    "/api/v0/models": EndpointAnswer.ok(downloaded),
                ]
            }, fallback: KindDetectorTests.unexpected)
    }

    /// Servers that are no more than OpenAI-compatible here.
    private static let plain: [ConformingServer] = [
        server("Text Embeddings Inference", .openai, "BAAI/bge-m3 4096 embeddings loaded") {
            ["/info": try EndpointAnswer.fixture("tei.info.json"), "/health": EndpointAnswer.ok("")]
        },
        server("Infinity", .openai, "bge embeddings", "mxbai rerank") {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"""
                    {"object":"list","data":[{"id":"bge","owned_by":"infinity","backend":"torch","capabilities":["embed"],
                    "stats":{"queue_fraction":0.0}},{"id":"mxbai","owned_by":"infinity","capabilities":["rerank"]}]}
                    """#
                )
            ]
        },
        server("speaches", .openai, "Systran/faster-whisper-small audio") {
            [
                "/v1/models": EndpointAnswer.ok(
                    #"""
                    {"object":"list","data":[{"id":"Systran/faster-whisper-small","created":0,"object":"model",
                    "owned_by":"Systran","language":["en"],"task":"automatic-speech-recognition"}]}
                    """#)
            ]
        },
        server("KoboldCpp", .openai, "koboldcpp/Qwen3-30B-A3B-Q4_K_M 8192") {
            [
                "/v1/models": try EndpointAnswer.fixture("koboldcpp.v1_models.json"),
                "/api/tags": EndpointAnswer.ok(
                    #"""
                    {"models":[{"name":"koboldcpp","model":"koboldcpp:latest","size":394998579,
                    "digest":"b5dc5e784f2a3ee1582373093acf69a2f4e2ac1710b253a001712b86a61f88bb",
                    "details":{"family":"koboldcpp","quantization_level":"Q4_0"}}]}
                    """#),
                "/api/version": EndpointAnswer.ok(#"{"version":"0.7.0"}"#),
                "/api/ps": EndpointAnswer.ok(#"{"models":[]}"#),
                "/props": EndpointAnswer.ok(#"{"default_generation_settings":{"n_ctx":8192},"total_slots":1}"#),
            ]
        },
        server(
            "TabbyAPI", .openai, "Llama-3.1-8B-Instruct-exl2-6.0bpw", "Qwen3-14B-exl3-4bpw"
        ) {
            [
                "/v1/models": try EndpointAnswer.fixture("tabbyapi.v1_models.json"),
                "/v1/model": try EndpointAnswer.fixture("tabbyapi.v1_model.json"),
            ]
        },
        server("Docker Model Runner", .openai, "ai/llama3.2", "ai/smollm2") {
            ["/v1/models": try EndpointAnswer.fixture("docker_model_runner.engines_v1_models.json")]
        },
        server("GPUStack", .openai, "acme/qwen3-embedding 40960", "qwen3-8b") {
            ["/v1/models": try EndpointAnswer.fixture("gpustack.v1_models.json")]
        },
        server(
            "Lemonade, which imitates Ollama", .openai, "Gemma-3-4b-it-GGUF vision", "Qwen3-0.6B-GGUF 8192", "SD-Turbo"
        ) {
            [
                "/v1/models": try EndpointAnswer.fixture("lemonade.v1_models.json"),
                "/api/tags": EndpointAnswer.ok(
                    #"""
                    {"models":[{"name":"Qwen3-0.6B-GGUF:latest","size":5,"digest":"ab",
                    "details":{"quantization_level":"Q4_0"}}]}
                    """#),
                "/api/version": EndpointAnswer.ok(#"{"version":"0.16.1"}"#),
            ]
        },
        server("LocalAI, which imitates Ollama", .openai, "parakeet audio", "qwen2.5-omni vision tools audio") {
            [
                "/v1/models": try EndpointAnswer.fixture("localai.v1_models_capabilities.json"),
                "/api/tags": EndpointAnswer.ok(
                    #"""
                    {"models":[{"name":"parakeet:latest","size":5,"digest":"sha256:52a1",
                    "details":{"quantization_level":""}}]}
                    """#),
                "/api/version": EndpointAnswer.ok(#"{"version":"0.9.0"}"#),
            ]
        },
        server("LiteLLM", .openai, "local-llama-cpp", "local-mlx", "local-ollama", "local-sglang", "local-vllm") {
            ["/v1/models": try EndpointAnswer.fixture("litellm.v1_models.json")]
        },
        server(
            "OpenRouter", .openai, "nex-agi/nex-n2.5-mini:free", "openai/gpt-4 8192 tools",
            "~openai/gpt-astra-latest 1050000 vision tools"
        ) { ["/v1/models": try EndpointAnswer.fixture("openrouter.api_v1_models.json")] },
    ]
}

/// A server that a careless reader would take for something else.
struct HostileServer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var answers: ConformingServer.Answers = [:]
    let fallback: Result<EndpointAnswer, PollError>
    /// nil: no poll of it succeeds.
    var models: [String]?
    /// A former kind that its answers do not contradict.
    var lookAlike: EndpointKind?

    private static let list = #"{"object":"list","data":[{"id":"m","object":"model","owned_by":"me"}]}"#
    private static let tags =
        #"{"models":[{"name":"m","model":"m","size":5,"digest":"ab","details":{"quantization_level":"Q4_0"}}]}"#
    private static let missing = EndpointAnswer.status(404, "nope")
    private static let endless = Result<EndpointAnswer, PollError>.failure(
        PollError(.transport("body_too_large"), "more than 8 MB"))

    private static func everywhere(_ name: String, _ answer: Result<EndpointAnswer, PollError>) -> HostileServer {
        HostileServer(testDescription: "everywhere: \(name)", fallback: answer)
    }

    private static func onList(_ name: String, _ answer: Result<EndpointAnswer, PollError>) -> HostileServer {
        HostileServer(
            testDescription: "a list, and elsewhere: \(name)", answers: ["/v1/models": EndpointAnswer.ok(list)],
            fallback: answer,
            models: ["m"])
    }

    /// An imitator of Ollama beside a list with the same model.
    private static func imitator(_ name: String, _ tags: String, of kind: EndpointKind? = nil) -> HostileServer {
        HostileServer(
            testDescription: "Ollama's list \(name)",
            answers: [
                "/v1/models": EndpointAnswer.ok(list), "/api/tags": EndpointAnswer.ok(tags),
                "/api/ps": EndpointAnswer.ok(tags),
                "/api/version": EndpointAnswer.ok(#"{"version":"0.12.0"}"#),
            ], fallback: missing, models: ["m"], lookAlike: kind)
    }

    static let all: [HostileServer] = [
        everywhere("200 and nothing", EndpointAnswer.ok("")), everywhere("200 and {}", EndpointAnswer.ok("{}")),
        everywhere("200 and a word", EndpointAnswer.ok("OK")), everywhere("200 and true", EndpointAnswer.ok("true")),
        everywhere("a page", KindDetectorTests.html), everywhere("an error with 200", KindDetectorTests.unexpected),
        everywhere("a redirect to a login", EndpointAnswer.status(302, "")),
        everywhere("a refusal", EndpointAnswer.status(401, "{}")),
        everywhere(
            "Anthropic's refusal", EndpointAnswer.status(401, #"{"type":"error","error":{"type":"a","message":"b"}}"#)),
        everywhere("an endless body", endless), everywhere("500", EndpointAnswer.status(500, "{}")),
        everywhere("Ollama's list of no model", EndpointAnswer.status(404, #"{"models":[]}"#)),
        onList("200 and nothing", EndpointAnswer.ok("")), onList("200 and {}", EndpointAnswer.ok("{}")),
        onList("a page", KindDetectorTests.html),
        onList("a redirect to a login", EndpointAnswer.status(302, "")), onList("an endless body", endless),
        onList("a refusal", EndpointAnswer.status(401, "{}")), onList("the same list", EndpointAnswer.ok(list)),
        onList("Ollama's version", EndpointAnswer.ok(#"{"version":"0.12.0"}"#)),
        onList("llama.cpp's props", EndpointAnswer.ok(#"{"props":{}}"#)),
        imitator("without a size", tags.replacing(#""size":5,"#, with: "")),
        imitator("with no bytes", tags.replacing(#""size":5"#, with: #""size":0"#)),
        imitator("without a digest", tags.replacing(#""digest":"ab""#, with: #""digest":"""#)),
        imitator("with a digest that is none", tags.replacing(#""digest":"ab""#, with: #""digest":"sha256:x""#)),
        imitator("without a quantization", tags.replacing("quantization_level", with: "format")),
        imitator("without details", tags.replacing("details", with: "detail")),
        imitator("of other models", tags.replacing(#""name":"m""#, with: #""name":"m:latest""#), of: .ollama),
        imitator("of no model", #"{"models":[]}"#, of: .ollama),
        HostileServer(
            testDescription: "LM Studio's list without what LM Studio says",
            answers: [
                "/v1/models": EndpointAnswer.ok(list), "/api/v0/models": EndpointAnswer.ok(list),
                "/api/v1/models": EndpointAnswer.ok(#"{"models":[]}"#),
            ],
            fallback: missing, models: ["m"], lookAlike: .lmstudio),
        HostileServer(
            testDescription: "Anthropic's list, of a plain server",
            answers: [
                "/v1/models": EndpointAnswer.ok(
                    #"{"object":"list","has_more":false,"data":[{"id":"m","object":"model","type":"model"}]}"#)
            ], fallback: missing, models: ["m"]),
    ]
}
