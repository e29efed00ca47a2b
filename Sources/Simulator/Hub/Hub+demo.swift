import JSON

extension Hub {
    /// A few small repositories to try registrations with, in the shapes that there are. Their names are those of models
    /// that simulated endpoints have, so that a registration becomes ready where an endpoint has its model.
    func addDemonstration() throws {
        try put("Qwen/Qwen3-14B-Instruct", Self.sharded)
        try put(
            "deepseek-ai/DeepSeek-R1-Distill-32B-Instruct-GGUF",
            Self.quantized("DeepSeek-R1-Distill-32B-Instruct"))
        // Of this one no endpoint of the demonstration has any file.
        try put("Qwen/Qwen3-8B-Instruct-GGUF", Self.quantized("Qwen3-8B-Instruct"))
        var gated = Self.sharded
        gated.gated = .string("manual")
        try put("meta-llama/Llama-3.1-32B-Instruct", gated)
        var renamed = HubRepositoryBody()
        renamed.renamedTo = "Qwen/Qwen3-14B-Instruct"
        try put("Qwen/Qwen3-14B-Chat", renamed)
    }

    private static let facts: [String: JSONValue] = [
        "downloads": .integer(186_325), "likes": .integer(38), "lastModified": .string("2026-03-12T10:30:05.000Z"),
        "cardData": .object(["license": .string("apache-2.0")]),
    ]

    /// GGUF in several quantizations, with a projector beside them.
    private static func quantized(_ name: String) -> HubRepositoryBody {
        var body = HubRepositoryBody()
        body.info = facts.merging([
            "tags": .array([.string("gguf"), .string("license:apache-2.0")]),
            "gguf": .object([
                "total": .integer(8_030_261_312), "architecture": .string("llama"),
                "context_length": .integer(131_072), "chat_template": .string(template),
            ]),
        ]) { _, new in new }
        body.files = ["README.md": "# \(name)\n\nMade up by rollcall-simulator.\n"]
        body.generated = [
            "\(name)-Q4_K_M.gguf": .init(size: 50_000), "\(name)-Q5_K_M.gguf": .init(size: 60_000),
            "\(name)-Q8_0.gguf": .init(size: 85_000), "\(name)-F16.gguf": .init(size: 160_000),
            "mmproj-\(name)-F16.gguf": .init(size: 8_000),
        ]
        return body
    }

    /// Safetensors in two shards with their index.
    private static var sharded: HubRepositoryBody {
        let shards = (1...2).map { "model-0000\($0)-of-00002.safetensors" }
        var body = HubRepositoryBody()
        body.info = facts.merging([
            "library_name": .string("transformers"), "pipeline_tag": .string("text-generation"),
            "tags": .array([.string("transformers"), .string("safetensors"), .string("license:apache-2.0")]),
            "safetensors": .object([
                "parameters": .object(["BF16": .integer(8_030_261_248)]), "total": .integer(8_030_261_248),
            ]),
        ]) { _, new in new }
        body.files = [
            "config.json":
                #"{"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","max_position_embeddings":40960}"#,
            "tokenizer.json": #"{"version":"1.0","model":{"type":"BPE","vocab":{},"merges":[]}}"#,
            "tokenizer_config.json": #"{"chat_template":\#(quoted(template)),"eos_token":"<|im_end|>"}"#,
            "model.safetensors.index.json":
                #"{"metadata":{"total_size":150000},"weight_map":{"model.embed_tokens.weight":"\#(shards[0])","#
                + #""lm_head.weight":"\#(shards[1])"}}"#,
        ]
        body.generated = [shards[0]: .init(size: 100_000), shards[1]: .init(size: 50_000)]
        return body
    }

    private static let template =
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
}
