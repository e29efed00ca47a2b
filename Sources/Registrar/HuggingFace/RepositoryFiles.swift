import FoundationEssentials

/// What is used of a repository's `config.json`.
struct ModelConfiguration: Sendable, Hashable, Decodable {
    var architectures: [String]
    var modelType: String?
    var contextLength: Int64?
    /// `quant_method`, as in `mxfp4` or `bitsandbytes`.
    var quantization: String?

    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case contextLength = "max_position_embeddings"
        case textConfig = "text_config"
        case quantization = "quantization_config"
    }

    private struct Text: Decodable {
        var contextLength: Int64?

        enum CodingKeys: String, CodingKey { case contextLength = "max_position_embeddings" }

        init(from decoder: any Decoder) throws {
            contextLength = try decoder.container(keyedBy: CodingKeys.self).usable(.contextLength)
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
        contextLength = HubJSON.count(
            fields.usable(.contextLength) ?? fields.usable(.textConfig, as: Text.self)?.contextLength)
        quantization = HubJSON.word(fields.usable(.quantization, as: Quantization.self)?.method)
    }

    /// nil where the bytes are not a JSON object.
    init?(file: [UInt8]) {
        guard let decoded = HubJSON.decode(Self.self, from: file, isHandwritten: true) else { return nil }
        self = decoded
    }

    var architecture: String? { architectures.first ?? modelType }

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

    /// From a `tokenizer_config.json`: a text, or the entry `default` of a list.
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
