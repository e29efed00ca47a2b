import FoundationEssentials
import JSON

/// What is used of a repository's `config.json`.
struct ModelConfiguration: Sendable, Hashable, Decodable {
    var architectures: [String]
    var modelType: String?
    var contextLength: Int64?
    /// `quant_method`, as in `mxfp4` or `bitsandbytes`.
    var quantization: String?
    /// `auto_map`: a runtime that loads the model runs Python of the repository, or of another one.
    var hasRemoteCode: Bool

    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case contextLength = "max_position_embeddings"
        case sequenceLength = "max_seq_len"
        case textConfig = "text_config"
        case llmConfig = "llm_config"
        case languageConfig = "language_config"
        case quantization = "quantization_config"
        case autoMap = "auto_map"
    }

    private struct Text: Decodable {
        var contextLength: Int64?
        var quantization: Quantization?

        enum CodingKeys: String, CodingKey {
            case contextLength = "max_position_embeddings"
            case quantization = "quantization_config"
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            contextLength = fields.usable(.contextLength)
            quantization = fields.usable(.quantization)
        }
    }

    private struct Quantization: Decodable {
        var method: String?

        enum CodingKeys: String, CodingKey { case method = "quant_method" }

        init(from decoder: any Decoder) throws {
            method = try decoder.container(keyedBy: CodingKeys.self).usable(.method)
        }
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        architectures = (fields.usable(.architectures, as: [Lenient<String>].self) ?? [])
            .compactMap { HubJSON.word($0.value) }
        modelType = HubJSON.word(fields.usable(.modelType))
        // Models that see as well keep what is about text apart.
        let text: Text? = fields.usable(.textConfig) ?? fields.usable(.llmConfig) ?? fields.usable(.languageConfig)
        contextLength = HubJSON.count(
            fields.usable(.contextLength) ?? text?.contextLength ?? fields.usable(.sequenceLength))
        quantization = HubJSON.word(
            fields.usable(.quantization, as: Quantization.self)?.method ?? text?.quantization?.method)
        hasRemoteCode = fields.contains(.autoMap)
    }

    /// nil where the bytes are not a JSON object.
    init?(file: [UInt8]) {
        guard let decoded = HubJSON.decode(Self.self, from: file, isHandwritten: true) else { return nil }
        self = decoded
    }

    var architecture: String? { architectures.first ?? modelType }

    /// Whether a config of a model, a tokenizer, or a processor names code.
    static func hasRemoteCode(_ file: [UInt8]) -> Bool { Self(file: file)?.hasRemoteCode ?? false }

    /// Which of the runtimes for safetensors runs it.
    var runtime: String {
        if modelType == "gpt_oss" || architectures.contains(where: { $0.hasPrefix("GptOss") }) { return "gptoss_cpp" }
        if modelType?.hasPrefix("nemotron") == true || architectures.contains(where: { $0.hasPrefix("Nemotron") }) {
            return "nemotron_cpp"
        }
        return "safetensors_cpp"
    }
}

/// What is used of a `*.safetensors.index.json`.
struct ShardIndex: Sendable, Hashable, Decodable {
    /// Paths relative to the index's folder, as they are written: a repository has them or not.
    let shards: Set<String>
    let parameterCount: Int64?

    enum CodingKeys: String, CodingKey {
        case metadata
        case weightMap = "weight_map"
    }

    private struct Metadata: Decodable {
        var parameterCount: Int64?

        enum CodingKeys: String, CodingKey { case parameterCount = "total_parameters" }

        init(from decoder: any Decoder) throws {
            parameterCount = HubJSON.count(
                try decoder.container(keyedBy: CodingKeys.self).usable(.parameterCount))
        }
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        shards = Set(try fields.decode([String: String].self, forKey: .weightMap).values)
        parameterCount = fields.usable(.metadata, as: Metadata.self)?.parameterCount
    }

    /// nil where the bytes are no index, or one of nothing.
    init?(file: [UInt8]) {
        guard let decoded = HubJSON.decode(Self.self, from: file), !decoded.shards.isEmpty else { return nil }
        self = decoded
    }
}

/// Chat templates, from the places where they are written.
enum ChatTemplate {
    static let maximumLength = 1 << 20

    /// A template that can be kept.
    static func usable(_ text: String?) -> String? {
        guard let text, (1...maximumLength).contains(text.utf8.count) else { return nil }
        return text
    }

    /// From a `tokenizer_config.json` or a `chat_template.json`: a text, or the entry `default` of a list.
    static func inTokenizerConfiguration(_ file: [UInt8]) -> String? {
        usable(HubJSON.decode(TokenizerConfiguration.self, from: file, isHandwritten: true)?.template)
    }

    static func inTemplateFile(_ file: [UInt8]) -> String? { usable(String(validating: file, as: UTF8.self)) }

    private struct TokenizerConfiguration: Decodable {
        let template: String?

        struct Entry: Decodable {
            let name: String
            let template: String
        }

        enum CodingKeys: String, CodingKey { case template = "chat_template" }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            let list = fields.usable(.template, as: [Lenient<Entry>].self)
            template = fields.usable(.template) ?? list?.compactMap(\.value).first { $0.name == "default" }?.template
        }
    }
}

/// `modules.json` of sentence-transformers: the model and the layers behind it.
struct SentenceModules: Sendable, Hashable, Decodable {
    /// Folders relative to the repository's root, as they are written, without the model's own.
    let folders: [String]

    private struct Module: Decodable { let path: String }

    init(from decoder: any Decoder) throws {
        let modules = try [Lenient<Module>](from: decoder).compactMap(\.value)
        folders = modules.map(\.path).filter { !$0.isEmpty }
    }

    init?(file: [UInt8]) {
        guard let decoded = HubJSON.decode(Self.self, from: file) else { return nil }
        self = decoded
    }
}

/// What is used of an `adapter_config.json` (PEFT).
struct AdapterConfiguration: Sendable, Hashable, Decodable {
    let baseModel: String?

    enum CodingKeys: String, CodingKey { case baseModel = "base_model_name_or_path" }

    init(from decoder: any Decoder) throws {
        baseModel = HubJSON.word(try decoder.container(keyedBy: CodingKeys.self).usable(.baseModel))
    }
}
