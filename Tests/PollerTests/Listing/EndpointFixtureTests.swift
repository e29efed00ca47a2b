import Catalog
import TestSupport
import Testing

@testable import Poller

/// Every answer that was collected parses to what it says, or fails with a reason.
struct EndpointFixtureTests {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var file: String
        var status = 200
        var format = ListFormat.openAI
        var models: [ModelEntry] = []
        var skipped = 0
        var failure: String?
        var testDescription: String { "\(file) as \(format)" }
    }

    static func lists(
        _ file: String, as format: ListFormat = .openAI, skipped: Int = 0, _ models: ModelEntry...
    ) -> Expectation {
        Expectation(file: file, format: format, models: models, skipped: skipped)
    }

    static func fails(
        _ file: String, _ code: String, status: Int = 200, as format: ListFormat = .openAI
    ) -> Expectation {
        Expectation(file: file, status: status, format: format, failure: code)
    }

    static func model(
        _ id: String, by owner: String? = nil, context: Int? = nil, quantization: String? = nil,
        parameters: Int64? = nil, architecture: String? = nil, loaded: Bool? = nil, digest: String? = nil,
        size: Int64? = nil, can capabilities: ModelCapabilities? = nil, atMost largest: Int? = nil,
        of parent: String? = nil,
        aliases: [String]? = nil
    ) -> ModelEntry {
        ModelEntry(
            id: ModelID(id), ownedBy: owner, contextLength: context, quantization: quantization,
            parameterCount: parameters, architecture: architecture, loaded: loaded,
            contentDigest: digest, sizeBytes: size, capabilities: capabilities, contextLengthMax: largest,
            parent: parent,
            aliases: aliases?.map(ModelID.init), firstSeen: 0)
    }

    static let table: [Expectation] = openAICompatible + native + withoutList + failures

    static let openAICompatible: [Expectation] = [
        lists(
            "anthropic.v1_models.json", model("claude-3-7-sonnet-20250219"), model("claude-3-5-sonnet-20241022"),
            model("claude-3-5-haiku-20241022"), model("claude-3-5-sonnet-20240620"), model("claude-3-haiku-20240307"),
            model("claude-3-opus-20240229")),
        lists("anthropic.v1_models_capabilities.json", model("claude-opus-4-6", context: 200_000)),
        lists("anthropic.v1_models_page1_has_more.json", model("claude-a")),
        lists("cortex.v1_models.json", model("mistral", context: 4096)),
        lists(
            "dashscope_deepseek.models_objects.json", model("qwen3-max-2026-01-23", by: "system"),
            model("qwen-image-edit-max", by: "system"), model("siliconflow/deepseek-v3.2", by: "system"),
            model("deepseek-chat", by: "deepseek"), model("deepseek-reasoner", by: "deepseek")),
        lists(
            "docker_model_runner.engines_v1_models.json", model("ai/smollm2", by: "ai"), model("ai/llama3.2", by: "ai")),
        lists(
            "fastchat.v1_models.json", model("1 - Llama3 405 on WestAI with 4b quantization", by: "fastchat"),
            model("5 - GritLM-7B - For Chat AND Text Embeddings", by: "fastchat")),
        lists(
            "gemini.openai_models.json", model("models/gemini-2.5-pro", by: "google"),
            model("models/gemini-embedding-001"), model("gemini-2.5-flash")),
        lists(
            "gpustack.v1_models.json", model("qwen3-8b", by: "gpustack"),
            model("acme/qwen3-embedding", by: "gpustack", context: 40960)),
        lists("koboldcpp.v1_models.json", model("koboldcpp/Qwen3-30B-A3B-Q4_K_M", by: "koboldcpp")),
        lists(
            "lemonade.v1_models.json", model("Qwen3-0.6B-GGUF", by: "lemonade", context: 8192),
            model("Gemma-3-4b-it-GGUF", by: "lemonade", can: .vision), model("SD-Turbo", by: "lemonade")),
        lists(
            "litellm.v1_models.json", model("local-ollama", by: "openai"), model("local-vllm", by: "openai"),
            model("local-sglang", by: "openai"), model("local-llama-cpp", by: "openai"),
            model("local-mlx", by: "openai")),
        lists(
            "llamacpp.router_models.json", model("ggml-org/gemma-3-4b-it-GGUF:Q4_K_M", loaded: true, can: .vision),
            model("my-decision-model", loaded: false), model("example/loading-model", loaded: false),
            model("example/sleeping-model", loaded: false)),
        lists(
            "llamacpp.v1_models.json",
            model("../models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", by: "llamacpp", parameters: 8_030_261_312)),
        lists(
            "lmstudio.v1_models.json", model("qwen/qwen3.5-9b", by: "organization_owner"),
            model("text-embedding-nomic-embed-text-v1.5", by: "organization_owner")),
        lists("localai.v1_models.json", model("qwen2.5-omni"), model("parakeet")),
        lists(
            "localai.v1_models_capabilities.json", model("qwen2.5-omni", can: [.vision, .tools, .audio]),
            model("parakeet", can: .audio)),
        lists(
            "mistral.v1_models.json",
            model(
                "codestral-2501", by: "mistralai", context: 256_000, can: .tools,
                aliases: ["codestral-2411-rc5", "codestral-2412"]),
            model(
                "mistral-medium-2508", by: "mistralai", context: 131_072, can: [.vision, .tools],
                aliases: ["mistral-medium-latest"]),
            model("ft:open-mistral-7b:587a6b29:20240514:7e773925", by: "mistralai", context: 32_768)),
        lists(
            "ollama.v1_models.json", model("deepseek-r1:latest", by: "library"), model("llama3.2:latest", by: "library")
        ),
        lists("ollama.v1_models_empty_null.json"),
        lists(
            "openai.v1_models.json", model("model-id-0", by: "organization-owner"),
            model("model-id-1", by: "organization-owner"), model("model-id-2", by: "openai")),
        lists(
            "openai.v1_models_shutdown_date.json", model("model-id-0", by: "organization-owner"),
            model("model-id-1", by: "organization-owner")),
        lists(
            "openrouter.api_v1_models.json",
            model("~openai/gpt-astra-latest", context: 1_050_000, can: [.vision, .tools]),
            model("openai/gpt-4", context: 8192, can: .tools), model("nex-agi/nex-n2.5-mini:free")),
        lists("sglang.v1_models.json", model("Ling-3.0-tiny-bf16", by: "sglang", context: 131_072)),
        lists("sglang.v1_models_path_id.json", model("/data/models/Kimi-K2.6/", by: "sglang", context: 262_144)),
        lists("tabbyapi.v1_model.json", model("Llama-3.1-8B-Instruct-exl2-6.0bpw", by: "tabbyAPI", context: 8192)),
        lists(
            "tabbyapi.v1_models.json", model("Llama-3.1-8B-Instruct-exl2-6.0bpw", by: "tabbyAPI"),
            model("Qwen3-14B-exl3-4bpw", by: "tabbyAPI")),
        lists("tgi.v1_models.json", model("gpt2", by: "openai")),
        lists("tgi.v1_models_bare_object.json", model("gpt2", by: "openai")),
        lists("triton.v1_models.json", model("llama-3.1-8b-instruct", by: "Triton Inference Server")),
        lists("vllm.v1_models.json", model("meta-llama/Meta-Llama-3.1-8B-Instruct", by: "vllm", context: 8096)),
        lists(
            "vllm.v1_models_lora.json", model("meta-llama/Llama-3.2-3B-Instruct", by: "vllm", context: 131_072),
            model("sql-lora", by: "vllm", context: 131_072, of: "meta-llama/Llama-3.2-3B-Instruct")),
        lists("vllm.v1_models_served_alias.json", model("tweet-summary", by: "vllm", of: "meta-llama/Llama-2-7b-hf")),
        lists(
            "vllm_production_stack.v1_models_lora.json", model("meta-llama/Llama-3.1-8B-Instruct", by: "vllm"),
            model("llama-3.1-nemoguard-8b-topic-control", by: "vllm", of: "meta-llama/Llama-3.1-8B-Instruct")),
        lists("xllm.v1_models.json", model("openai/gpt-oss-20b", by: "load balancer")),
        lists("errors/bare_array.json", model("model-a"), model("model-b")),
        lists("errors/data_null.json"),
        lists("errors/duplicate_ids.json", model("qwen3:8b", by: "library"), model("QWEN3:8B", by: "library")),
        lists("errors/duplicate_json_keys.txt", model("z-ai/b")),
        lists("errors/empty_list.json"),
        lists("errors/utf8_bom.json.txt", model("bom-model")),
        lists("errors/wrong_types.json", skipped: 6, model("ok"), model("ok2"), model("ok3")),
    ]

    static let native: [Expectation] = [
        lists("anthropic.v1_models_page1_has_more.json", as: .anthropic, model("claude-a")),
        lists("tei.info.json", as: .teiInfo, model("BAAI/bge-m3", context: 4096, loaded: true, can: .embeddings)),
        lists(
            "lmstudio.api_v0_models.json", as: .lmStudioV0,
            model(
                "qwen2-vl-7b-instruct", by: "mlx-community", context: 32_768, quantization: "4bit",
                architecture: "qwen2_vl", loaded: false, can: .vision, atMost: 32_768),
            model(
                "meta-llama-3.1-8b-instruct", by: "lmstudio-community", context: 131_072, quantization: "Q4_K_M",
                architecture: "llama", loaded: false, atMost: 131_072),
            model(
                "text-embedding-nomic-embed-text-v1.5", by: "nomic-ai", context: 2048, quantization: "Q4_0",
                architecture: "nomic-bert", loaded: false, can: .embeddings, atMost: 2048)),
        lists(
            "lmstudio.api_v1_models.json", as: .lmStudioV1,
            model(
                "google/gemma-4-26b-a4b", by: "google", context: 4096, quantization: "Q4_K_M",
                parameters: 26_000_000_000, architecture: "gemma4", loaded: true, can: [.vision, .tools],
                atMost: 262_144),
            model(
                "deepseek-r1", by: "deepseek", context: 131_072, quantization: "Q4_K_M", parameters: 671_000_000_000,
                architecture: "deepseek", loaded: false, can: .tools, atMost: 131_072),
            model(
                "text-embedding-nomic-embed-text-v1.5-embedding", by: "gaianet", context: 2048, quantization: "F16",
                loaded: false, can: .embeddings, atMost: 2048)),
        // One model by its own path; the list's parser takes it as TGI's bare object.
        lists("lmstudio.api_v0_model.json", model("qwen2-vl-7b-instruct", context: 32_768, can: .vision)),
        lists(
            "ollama.api_tags.json", as: .ollamaTags,
            model(
                "deepseek-r1:latest", quantization: "Q4_K_M", parameters: 7_600_000_000, architecture: "qwen2",
                digest: "0a8c266910232fd3291e71e5ba1e058cc5af9d411192cf88b6d30e92b6e73163", size: 4_683_075_271),
            model(
                "llama3.2:latest", quantization: "Q4_K_M", parameters: 3_200_000_000, architecture: "llama",
                digest: "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72", size: 2_019_393_189)),
        lists(
            "ollama.api_tags_cloud.json", as: .ollamaTags,
            model(
                "deepseek-v4-pro:cloud",
                digest: "0a8c266910232fd3291e71e5ba1e058cc5af9d411192cf88b6d30e92b6e73163", size: 344)),
        lists(
            "ollama.api_ps.json", as: .ollamaTags,
            model(
                "mistral:latest", quantization: "Q4_0", parameters: 7_200_000_000, architecture: "llama",
                digest: "2ae6f6dd7a3dd734790bbbf58b8909a606e0e7e97e94b7604e0aa7ae4490e6d8", size: 5_137_025_024)),
    ]

    /// Answers of other paths: JSON that is no list of models, or nothing.
    static let withoutList: [Expectation] =
        [
            "lemonade.v1_health.json", "lemonade.v1_system_info.json", "llamacpp.props.json", "ollama.api_show.json",
            "ollama.api_version.json", "omlx.v1_models_status.json", "sglang.get_model_info.json",
            "tabbyapi.health.json", "tabbyapi.well_known_serviceinfo.json", "tei.info.json", "tgi.info.json",
            "vllm.version.json", "xllm.api_system_version.json", "xllm.health.json", "xllm.v0_health.json",
            "xllm.v0_system.json", "errors/no_data_key.json",
        ].map { fails($0, "no_list") }
        + [fails("triton.health_ready.txt", "empty_body"), fails("vllm.health.txt", "empty_body")]

    static let failures: [Expectation] = [
        fails("tgi.info.json", "no_list", as: .teiInfo), fails("errors/fastapi.404.json", "error_body", as: .teiInfo),
        fails("README.md", "not_json"),
        fails("lmstudio.unknown_path_200.json", "error_body"),
        fails("lmstudio.unknown_path_get_200.json", "error_body"),
        fails("lmstudio.unknown_path_get_200.json", "error_body", as: .ollamaTags),
        fails("errors/README.txt", "not_json"),
        fails("errors/anthropic.401.json", "unauthorized", status: 401),
        fails("errors/anthropic.401.json", "error_body"),
        fails("errors/array_of_strings.json", "no_usable_entry"),
        fails("errors/fastapi.404.json", "http_status", status: 404),
        fails("errors/fastapi.404.json", "error_body"),
        fails("errors/litellm.401.json", "unauthorized", status: 401),
        fails("errors/llamacpp.401.json", "unauthorized", status: 401),
        fails("errors/llamacpp.501_metrics.json", "http_status", status: 501),
        fails("errors/llamacpp.503_loading.json", "http_status", status: 503),
        fails("errors/llamacpp.503_loading.json", "error_body"),
        fails("errors/localai.401.json", "unauthorized", status: 401),
        fails("errors/login_page_200.html", "html"),
        fails("errors/login_page_200.html", "redirected", status: 302),
        fails("errors/login_page_200.html", "forbidden", status: 403),
        fails("errors/nginx.404.html", "http_status", status: 404),
        fails("errors/nginx.404.html", "html"),
        fails("errors/nginx.502.html", "http_status", status: 502),
        fails("errors/nginx.502.html", "html"),
        fails("errors/ollama.404.json", "http_status", status: 404),
        fails("errors/ollama.error_string.json", "error_body"),
        fails("errors/ollama.error_string.json", "error_body", as: .ollamaTags),
        fails("errors/openai.401.json", "unauthorized", status: 401),
        fails("errors/sglang.400_flat.json", "http_status", status: 400),
        fails("errors/sglang.400_flat.json", "error_body"),
        fails("errors/tabbyapi.401.json", "unauthorized", status: 401),
        fails("errors/tgi.503_unhealthy.json", "http_status", status: 503),
        fails("errors/tgi.503_unhealthy.json", "error_body"),
        fails("errors/truncated.v1_models.json.txt", "truncated"),
        fails("errors/vllm.401.json", "unauthorized", status: 401),
        fails("errors/vllm.401.json", "error_body"),
    ]

    @Test(arguments: table)
    func parses(_ expected: Expectation) throws {
        let answer = EndpointAnswer(status: expected.status, body: try FixtureFolder.endpoints.body(expected.file))
        do throws(PollError) {
            let listing = try ModelListParser.parse(answer, as: expected.format)
            #expect(expected.failure == nil, "parsed to \(listing.models.count) models")
            #expect(listing.models == expected.models)
            #expect(listing.skipped == expected.skipped)
        } catch {
            #expect(error.code.name == expected.failure)
            #expect(!error.message.isEmpty)
        }
    }

    @Test func everyFileIsInTheTable() throws {
        #expect(try FixtureFolder.endpoints.names() == Set(Self.table.map(\.file)))
    }

    /// An error body may quote the API key; what is shown to people must not.
    @Test(arguments: table.filter { $0.failure != nil })
    func failuresDoNotQuoteTheBody(_ expected: Expectation) throws {
        let answer = EndpointAnswer(status: expected.status, body: try FixtureFolder.endpoints.body(expected.file))
        do throws(PollError) {
            _ = try ModelListParser.parse(answer, as: expected.format)
            Issue.record("parsed")
        } catch {
            #expect(!error.message.contains("sk-"))
            #expect(error.message.utf8.count < 120)
        }
    }

    @Test func everyByteOfATruncatedListFails() throws {
        let body = try FixtureFolder.endpoints.body("vllm.v1_models.json")
        let end = try #require(body.lastIndex(of: UInt8(ascii: "}")))
        for length in 1...end {
            #expect(throws: PollError.self) {
                try ModelListParser.parse(EndpointAnswer(status: 200, body: Array(body[..<length])), as: .openAI)
            }
        }
    }
}
