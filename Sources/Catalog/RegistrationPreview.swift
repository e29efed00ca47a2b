/// What a registration would make of a repository: the part of a record and its manifest that helps to decide.
///
/// Every gateway keeps it with its operation, so it leaves out the chat template, the hashes, and the URLs.
public struct RegistrationPreview: Sendable, Hashable, Codable {
    public struct File: Sendable, Hashable, Codable {
        /// Relative to the repository's root.
        public var path: String
        public var role: ManifestFile.Role
        public var sizeBytes: Int64?
        /// Whether a node can do without it.
        public var isOptional: Bool

        public init(_ file: ManifestFile) {
            path = file.path
            role = file.role
            sizeBytes = file.sizeBytes
            isOptional = file.isOptional
        }

        enum CodingKeys: String, CodingKey {
            case path, role
            case sizeBytes = "size_bytes"
            case isOptional = "optional"
        }
    }

    /// The name that the registration would have.
    public var name: String
    public var repo: String
    public var commit: String
    public var format: ModelFormat
    public var quantization: String?
    public var sizeBytes: Int64?
    public var requiredMemoryBytes: Int64?
    public var parameterCount: Int64?
    public var contextLength: Int64?
    public var architecture: String?
    public var license: String?
    public var hasChatTemplate: Bool
    public var chosenBecause: String?
    public var alternatives: [ArtifactChoice]
    /// What does not depend on the fleet.
    public var warnings: [RegistrationWarning]
    /// In the manifest's order.
    public var files: [File]

    public init(_ record: RegistrationRecord) {
        name = record.name
        repo = record.repo
        commit = record.commit
        format = record.format
        quantization = record.quantization
        sizeBytes = record.sizeBytes
        requiredMemoryBytes = record.requiredMemoryBytes
        parameterCount = record.parameterCount
        contextLength = record.contextLength
        architecture = record.architecture
        license = record.license
        hasChatTemplate = record.chatTemplate != nil
        chosenBecause = record.chosenBecause
        alternatives = record.alternatives
        warnings = record.warnings
        files = record.manifest.files.map(File.init)
    }

    enum CodingKeys: String, CodingKey {
        case name, repo, commit, format, quantization, architecture, license, alternatives, warnings, files
        case sizeBytes = "size_bytes"
        case requiredMemoryBytes = "required_memory_bytes"
        case parameterCount = "parameter_count"
        case contextLength = "context_length"
        case hasChatTemplate = "has_chat_template"
        case chosenBecause = "chosen_because"
    }
}
