import Catalog
import FoundationEssentials

/// The contents of files that a registration needs, as far as they have been read.
struct RepositoryContents: Sendable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case configuration, index, tokenizerConfiguration, chatTemplate
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
        let kind: RepositoryContents.Kind
        let file: HubFile
        /// Without it there is no registration.
        let isRequired: Bool
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
        for request: RegistrationRequest, repository: HubRepository, selection: ArtifactSelection,
        contents: RepositoryContents
    ) throws(Rejection) -> NeededFile? {
        if selection.format == .safetensors, !contents.isKnown(.configuration),
            let file = selection.metadata.configuration
        {
            return try needed(.configuration, file, isRequired: true)
        }
        if case .sharded(let index, _) = selection.weights, !contents.isKnown(.index) {
            return try needed(.index, index, isRequired: true)
        }
        guard chatTemplate(for: request, repository: repository, selection: selection, contents: contents) == nil else {
            return nil
        }
        if !contents.isKnown(.tokenizerConfiguration), let file = selection.metadata.tokenizerConfiguration {
            return try needed(.tokenizerConfiguration, file, isRequired: false)
        }
        if !contents.isKnown(.chatTemplate), let file = selection.metadata.chatTemplate {
            return try needed(.chatTemplate, file, isRequired: false)
        }
        return nil
    }

    private static func needed(
        _ kind: RepositoryContents.Kind, _ file: HubFile, isRequired: Bool
    ) throws(Rejection) -> NeededFile {
        if isRequired, file.isLFS {
            throw .unsupportedArtifact(
                "\(QuotedText.of(file.path)) is kept in large file storage, which is not read: such a repository cannot be registered."
            )
        }
        return NeededFile(kind: kind, file: file, isRequired: isRequired)
    }

    /// The request's, else the GGUF's, else of `tokenizer_config.json`, else of `chat_template.jinja`.
    static func chatTemplate(
        for request: RegistrationRequest, repository: HubRepository, selection: ArtifactSelection,
        contents: RepositoryContents
    ) -> String? {
        if let own = ownChatTemplate(of: request) { return own }
        if selection.format == .gguf, let template = ChatTemplate.usable(repository.gguf?.chatTemplate) {
            return template
        }
        if let file = contents[.tokenizerConfiguration], let template = ChatTemplate.inTokenizerConfiguration(file) {
            return template
        }
        return contents[.chatTemplate].flatMap(ChatTemplate.inTemplateFile)
    }

    static func ownChatTemplate(of request: RegistrationRequest) -> String? {
        request.chatTemplate.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// ceil(1.5 × size); nil where there is no size, or 0, which says as little.
    static func requiredMemory(forSize size: Int64?) -> Int64? {
        guard let size, size > 0 else { return nil }
        return size + (size + 1) / 2
    }

    static func warnings(of repository: HubRepository) -> [RegistrationWarning] {
        var warnings: [RegistrationWarning] = []
        if repository.isGated {
            warnings.append(
                RegistrationWarning(
                    code: "gated_repository",
                    message:
                        "The repository is gated: nodes can download it only with a token whose owner has been given access on its page."
                ))
        }
        if repository.license == nil {
            warnings.append(
                RegistrationWarning(
                    code: "license_missing",
                    message: "The repository names no licence: find out what its use is allowed for."))
        }
        return warnings
    }
}
