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
    let configuration: HubFile?
    let tokenizerConfiguration: HubFile?
    let chatTemplate: HubFile?
    let hasTokenizer: Bool

    init(of repository: HubRepository, nearTo folder: String) {
        func file(_ name: String, in folder: String) -> HubFile? { repository.file(folder + name) }
        let configurationFolder = file("config.json", in: folder) == nil ? "" : folder
        let tokenizerFolder = Self.hasTokenizer({ file($0, in: folder) != nil }) ? folder : ""
        configuration = file("config.json", in: configurationFolder)
        tokenizerConfiguration = file("tokenizer_config.json", in: tokenizerFolder)
        chatTemplate = file("chat_template.jinja", in: tokenizerFolder)
        hasTokenizer = Self.hasTokenizer { file($0, in: tokenizerFolder) != nil }
        var entries: [Entry] = []
        func add(_ names: [String], in folder: String, as role: ManifestFile.Role, isOptional: Bool = false) {
            entries += names.compactMap { name in
                file(name, in: folder).map { Entry(file: $0, role: role, isOptional: isOptional) }
            }
        }
        add(["config.json", "generation_config.json"], in: configurationFolder, as: .config)
        add(Self.processors, in: configurationFolder, as: .config, isOptional: true)
        add(Self.tokenizerFiles, in: tokenizerFolder, as: .tokenizer)
        add(["chat_template.jinja", "chat_template.json"], in: tokenizerFolder, as: .chatTemplate)
        self.entries = entries
    }

    private static func hasTokenizer(_ isThere: (String) -> Bool) -> Bool {
        isThere("tokenizer.json") || isThere("tokenizer.model") || isThere("vocab.json") && isThere("merges.txt")
    }

    /// Of models that take images, sound, or video.
    private static let processors = [
        "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
    ]
    private static let tokenizerFiles = [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "vocab.txt", "tekken.json",
    ]
}
