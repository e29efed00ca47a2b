import Catalog

/// The small files that belong to a model: from the folder of its weights where they are there, else from the root.
struct MetadataFiles: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let file: HubFile
        let role: ManifestFile.Role
        /// A runtime does without it.
        let isOptional: Bool
    }

    let entries: [Entry]
    /// `config.json`, else Mistral's `params.json`.
    let configuration: HubFile?
    let tokenizerConfiguration: HubFile?
    let processorConfiguration: HubFile?
    /// `chat_template.jinja`
    let chatTemplate: HubFile?
    /// `chat_template.json`, as processors of models that see have it.
    let processorTemplate: HubFile?
    let hasTokenizer: Bool
    /// `modules.json` of sentence-transformers, at the root always.
    let modules: HubFile?
    /// Python files that `auto_map` in a config can name.
    let code: [HubFile]

    init(of repository: HubRepository, nearTo folder: String) {
        func file(_ name: String, in folder: String) -> HubFile? { repository.file(folder + name) }
        let near = repository.files.filter { $0.folder == folder }
        let root = folder.isEmpty ? near : repository.files.filter { $0.folder.isEmpty }
        let configurationFolder = Self.configurations.contains { file($0, in: folder) != nil } ? folder : ""
        let hasOwnTokenizer = near.contains { Self.isTokenizer($0.name) }
        let tokenizerFolder = hasOwnTokenizer ? folder : ""
        configuration = Self.configurations.lazy.compactMap { file($0, in: configurationFolder) }.first
        tokenizerConfiguration = file("tokenizer_config.json", in: tokenizerFolder)
        processorConfiguration =
            file("processor_config.json", in: configurationFolder)
            ?? file("preprocessor_config.json", in: configurationFolder)
        chatTemplate = file("chat_template.jinja", in: tokenizerFolder)
        processorTemplate = file("chat_template.json", in: tokenizerFolder)
        hasTokenizer = hasOwnTokenizer || root.contains { Self.isTokenizer($0.name) }
        modules = repository.file("modules.json")
        code = (configurationFolder.isEmpty ? root : near).filter { $0.name.hasSuffix(".py") }
        var entries: [Entry] = []
        func add(_ names: [String], in folder: String, as role: ManifestFile.Role, isOptional: Bool = false) {
            entries += names.compactMap { name in
                file(name, in: folder).map { Entry(file: $0, role: role, isOptional: isOptional) }
            }
        }
        add(Self.configurations + ["generation_config.json"], in: configurationFolder, as: .config)
        add(Self.processors, in: configurationFolder, as: .config, isOptional: true)
        entries += (hasOwnTokenizer ? near : root).filter {
            Self.isTokenizer($0.name) || Self.besides.contains($0.name)
        }
        .map { Entry(file: $0, role: .tokenizer, isOptional: false) }
        add(["chat_template.jinja", "chat_template.json"], in: tokenizerFolder, as: .chatTemplate)
        let more = tokenizerFolder + "additional_chat_templates/"
        entries += repository.files.filter { $0.folder == more }
            .map { Entry(file: $0, role: .chatTemplate, isOptional: true) }
        self.entries = entries
    }

    private static let configurations = ["config.json", "params.json"]

    /// Whether a file is a tokenizer by itself, or all of one but its merges.
    private static func isTokenizer(_ name: String) -> Bool {
        tokenizers.contains(name) || name.hasSuffix(".tiktoken") || name.hasSuffix(".spm")
            || name.hasPrefix("tokenizer.model.v")
    }

    private static let tokenizers: Set = [
        "tokenizer.json", "tokenizer.model", "tekken.json", "tiktoken.model", "spiece.model", "sentencepiece.bpe.model",
        "sentencepiece.model", "vocab.txt", "vocab.json",
    ]
    /// What tokenizers have besides.
    private static let besides: Set = [
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", "normalizer.json",
    ]
    /// Of models that take images, sound, or video.
    private static let processors = [
        "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
    ]
}
