import Catalog
import FoundationEssentials

/// The contents of files that a registration needs, as far as they have been read.
struct RepositoryContents: Sendable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case configuration, index, tokenizerConfiguration, chatTemplate
        /// `chat_template.json`
        case processorTemplate
        case processorConfiguration
        /// `modules.json` of sentence-transformers
        case modules
        case adapterConfiguration
    }

    private var files: [Kind: [UInt8]] = [:]
    /// What was looked at, whether or not there was anything to be had.
    private var known: Set<Kind> = []

    /// nil where it is not there, or has not been read.
    subscript(kind: Kind) -> [UInt8]? { files[kind] }

    func isKnown(_ kind: Kind) -> Bool { known.contains(kind) }

    mutating func set(_ kind: Kind, _ content: [UInt8]?) {
        known.insert(kind)
        files[kind] = content
    }
}

/// From what the Hub says to a registration; no input and output.
enum RegistrationRules {
    /// One to be read next, at the registered commit.
    struct NeededFile: Sendable, Hashable {
        enum Need: Sendable, Hashable {
            /// Without it there is no registration.
            case required
            /// If it is not there, or too large, the files' names can stand in for it.
            case replaceable
            /// If it is refused, the record says less.
            case optional
        }

        let kind: RepositoryContents.Kind
        let file: HubFile
        let need: Need
    }

    static let maximumFiles = 2000
    static let maximumDisplayName = 200

    /// What the request holds besides what it refers to, before anybody is asked.
    static func check(_ request: RegistrationRequest) throws(Rejection) {
        if let template = request.chatTemplate, template.utf8.count > ChatTemplate.maximumLength {
            throw .registration(
                "invalid_chat_template", "`chat_template` is longer than \(ChatTemplate.maximumLength) bytes.",
                "chat_template")
        }
        if let name = request.displayName {
            guard name.utf8.count <= maximumDisplayName,
                !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else {
                throw .registration(
                    "invalid_display_name",
                    "`display_name` may have at most \(maximumDisplayName) bytes, and no control characters.",
                    "display_name")
            }
        }
    }

    /// nil when all has been read that there is to read.
    static func nextFile(
        for request: RegistrationRequest, selection: ArtifactSelection, contents: RepositoryContents
    ) -> NeededFile? {
        let metadata = selection.metadata
        func unread(
            _ kind: RepositoryContents.Kind, _ file: HubFile?, _ need: NeededFile.Need = .optional
        ) -> NeededFile? {
            guard let file, !contents.isKnown(kind) else { return nil }
            return NeededFile(kind: kind, file: file, need: need)
        }
        if case .adapter(let file) = selection.weights { return unread(.adapterConfiguration, file) }
        if selection.format == .safetensors {
            if let next = unread(.configuration, metadata.configuration, .required) { return next }
            if case .sharded(let index, _) = selection.weights, let next = unread(.index, index, .replaceable) {
                return next
            }
            if let next = unread(.modules, metadata.modules) { return next }
        }
        if chatTemplate(for: request, selection: selection, contents: contents) == nil {
            let next =
                unread(.chatTemplate, metadata.chatTemplate) ?? unread(.processorTemplate, metadata.processorTemplate)
                ?? unread(.tokenizerConfiguration, metadata.tokenizerConfiguration)
            if let next { return next }
        }
        // A config that names code is looked for only if there is code.
        guard selection.format == .safetensors, !metadata.code.isEmpty, !hasRemoteCode(contents) else { return nil }
        return unread(.tokenizerConfiguration, metadata.tokenizerConfiguration)
            ?? unread(.processorConfiguration, metadata.processorConfiguration)
    }

    /// Whether one of the configs that were read has `auto_map`.
    static func hasRemoteCode(_ contents: RepositoryContents) -> Bool {
        [.configuration, .tokenizerConfiguration, .processorConfiguration].contains { kind in
            contents[kind].map(ModelConfiguration.hasRemoteCode) ?? false
        }
    }

    /// The request's, else the GGUF's, else of `chat_template.jinja`, else of `chat_template.json`, else of
    /// `tokenizer_config.json`: the file goes before the config in transformers and vLLM too.
    static func chatTemplate(
        for request: RegistrationRequest, selection: ArtifactSelection, contents: RepositoryContents
    ) -> String? {
        ownChatTemplate(of: request) ?? ChatTemplate.usable(selection.head?.chatTemplate)
            ?? contents[.chatTemplate].flatMap(ChatTemplate.inTemplateFile)
            ?? contents[.processorTemplate].flatMap(ChatTemplate.inTokenizerConfiguration)
            ?? contents[.tokenizerConfiguration].flatMap(ChatTemplate.inTokenizerConfiguration)
    }

    static func ownChatTemplate(of request: RegistrationRequest) -> String? {
        request.chatTemplate.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// ceil(1.5 × size); nil where there is no size, or 0, which says as little.
    static func requiredMemory(forSize size: Int64?) -> Int64? {
        guard let size, size > 0 else { return nil }
        return size + (size + 1) / 2
    }

    static func warnings(
        of repository: HubRepository, selection: ArtifactSelection, weights: ChosenWeights, contents: RepositoryContents
    ) -> [RegistrationWarning] {
        var warnings: [RegistrationWarning] = []
        func warn(_ code: String, _ message: String) {
            warnings.append(RegistrationWarning(code: code, message: message))
        }
        if repository.isGated {
            warn(
                "gated_repository",
                "The repository is gated: nodes can download it only with a token whose owner has been given access on its page."
            )
        }
        if repository.license == nil {
            warn("license_missing", "The repository names no licence: find out what its use is allowed for.")
        }
        guard selection.format == .safetensors else { return warnings }
        if !selection.metadata.hasTokenizer {
            warn(
                "no_tokenizer",
                "The repository has no tokenizer that is known: a runtime may need one from another repository.")
        }
        if hasRemoteCode(contents) {
            warn(
                "remote_code",
                "A config names Python code (auto_map): a node whose runtime does not have the architecture built in runs code of the repository (trust_remote_code)."
            )
        }
        if let index = weights.ignoredIndex {
            warn(
                "index_ignored",
                "\(QuotedText.of(index.path)) cannot be read or names none of the repository's files: the weights were chosen by their names."
            )
        } else if weights.index == nil, weights.files.count > 1 {
            warn(
                "index_missing",
                "The repository has no index of its shards: they were chosen by their numbers, and some runtimes need an index."
            )
        }
        return warnings
    }
}
