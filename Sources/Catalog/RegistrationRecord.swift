/// What an operator asked to be registered; the texts as they were sent.
public struct RegistrationRequest: Sendable, Hashable, Codable {
    /// `org/name`, or a URL on the Hub.
    public var repo: String
    public var filename: String?
    public var quantization: String?
    public var revision: String?
    public var displayName: String?
    public var chatTemplate: String?

    public init(
        repo: String, filename: String? = nil, quantization: String? = nil, revision: String? = nil,
        displayName: String? = nil, chatTemplate: String? = nil
    ) {
        self.repo = repo
        self.filename = filename
        self.quantization = quantization
        self.revision = revision
        self.displayName = displayName
        self.chatTemplate = chatTemplate
    }

    enum CodingKeys: String, CodingKey {
        case repo, filename, quantization, revision
        case displayName = "display_name"
        case chatTemplate = "chat_template"
    }
}

/// What the Hub says of a repository and changes all the time.
public struct HubInfo: Sendable, Hashable, Codable {
    public var downloads: Int64?
    public var likes: Int64?
    /// As the Hub writes it, RFC 3339.
    public var lastModified: String?
    /// Milliseconds since 1970 when the Hub first gave these values. Asking again changes nothing as long as it gives the
    /// same ones.
    public var fetchedAt: Int64
    /// The Hub was asked again and did not answer: these are the last good values.
    public var isStale: Bool

    public init(downloads: Int64?, likes: Int64?, lastModified: String?, fetchedAt: Int64, isStale: Bool = false) {
        self.downloads = downloads
        self.likes = likes
        self.lastModified = lastModified
        self.fetchedAt = fetchedAt
        self.isStale = isStale
    }

    enum CodingKeys: String, CodingKey {
        case downloads, likes
        case lastModified = "last_modified"
        case fetchedAt = "fetched_at"
        case isStale = "stale"
    }
}

/// The repository has moved on from the registered commit. Shown; applied only when asked for.
public struct RepositoryDrift: Sendable, Hashable, Codable {
    public struct Change: Sendable, Hashable, Codable {
        public struct Kind: OpenName {
            public let rawValue: String

            public init(rawValue: String) { self.rawValue = rawValue }

            public static let added = Self(rawValue: "added")
            public static let removed = Self(rawValue: "removed")
            public static let changed = Self(rawValue: "changed")

            public static let allCases = [Self.added, .removed, .changed]
        }

        /// Of a file of the manifest.
        public var path: String
        public var change: Kind

        public init(path: String, change: Kind) {
            self.path = path
            self.change = change
        }
    }

    /// The commit that the registered revision names now.
    public var commit: String
    /// Milliseconds since 1970.
    public var detectedAt: Int64
    /// How the manifest would change; nil where only the commit has been looked at.
    public var changes: [Change]?

    public init(commit: String, detectedAt: Int64, changes: [Change]?) {
        self.commit = commit
        self.detectedAt = detectedAt
        self.changes = changes
    }

    enum CodingKeys: String, CodingKey {
        case commit, changes
        case detectedAt = "detected_at"
    }
}

/// Something an operator should know of a registration.
public struct RegistrationWarning: Sendable, Hashable, Codable {
    /// `gated_repository`, `license_missing`, `insufficient_memory`, `memory_unknown`, …
    public var code: String
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// Another file, or set of files, of the repository that could have been registered instead.
public struct ArtifactChoice: Sendable, Hashable, Codable {
    public var quantization: String?
    /// The file, or the first one of a split set; relative to the repository's root.
    public var filename: String
    public var sizeBytes: Int64?

    public init(quantization: String?, filename: String, sizeBytes: Int64?) {
        self.quantization = quantization
        self.filename = filename
        self.sizeBytes = sizeBytes
    }

    enum CodingKeys: String, CodingKey {
        case quantization, filename
        case sizeBytes = "size_bytes"
    }
}

/// The durable record of one registered repository of the Hugging Face Hub. What the Hub does not say is nil.
public struct RegistrationRecord: Sendable, Hashable, Codable {
    /// The repository's id in lower case; unique, and the record's id.
    public var name: String
    /// As the Hub spells it.
    public var repo: String
    public var displayName: String?
    /// Branch, tag, or commit that was asked for.
    public var requestedRevision: String
    /// What was chosen by; nil where it was not given. Looked at again by a refresh.
    public var requestedFilename: String?
    public var requestedQuantization: String?
    /// The commit that the manifest is pinned to, 40 hex digits.
    public var commit: String
    public var format: ModelFormat
    public var quantization: String?
    /// Of the chosen weights together.
    public var sizeBytes: Int64?
    public var requiredMemoryBytes: Int64?
    public var parameterCount: Int64?
    public var contextLength: Int64?
    public var architecture: String?
    public var license: String?
    public var chatTemplate: String?
    /// Why these weights were chosen, one sentence for people. nil: a record from before the reason was kept.
    public var chosenBecause: String?
    /// Whether a request without `filename` and `quantization` would choose the same weights. nil: a record from before
    /// this was kept.
    public var isDefaultChoice: Bool?
    /// `chatTemplate` is the request's: a refresh keeps it.
    public var hasOwnChatTemplate: Bool
    public var alternatives: [ArtifactChoice]
    /// What does not depend on the fleet.
    public var warnings: [RegistrationWarning]
    public var manifest: Manifest
    public var hub: HubInfo
    public var drift: RepositoryDrift?
    /// The revision at which the manifest was last set: verifications of an older one do not count.
    public var generation: Int64
    /// The registry's revision of the last change of this record.
    public var revision: Int64
    /// Seconds since 1970.
    public var createdAt: Int64

    public init(
        name: String, repo: String, displayName: String? = nil, requestedRevision: String,
        requestedFilename: String? = nil, requestedQuantization: String? = nil, commit: String, format: ModelFormat,
        quantization: String? = nil, sizeBytes: Int64? = nil, requiredMemoryBytes: Int64? = nil,
        parameterCount: Int64? = nil, contextLength: Int64? = nil, architecture: String? = nil,
        license: String? = nil, chatTemplate: String? = nil, chosenBecause: String? = nil,
        isDefaultChoice: Bool? = nil, hasOwnChatTemplate: Bool = false,
        alternatives: [ArtifactChoice] = [], warnings: [RegistrationWarning] = [], manifest: Manifest, hub: HubInfo,
        drift: RepositoryDrift? = nil, generation: Int64, revision: Int64, createdAt: Int64
    ) {
        self.name = name
        self.repo = repo
        self.displayName = displayName
        self.requestedRevision = requestedRevision
        self.requestedFilename = requestedFilename
        self.requestedQuantization = requestedQuantization
        self.commit = commit
        self.format = format
        self.quantization = quantization
        self.sizeBytes = sizeBytes
        self.requiredMemoryBytes = requiredMemoryBytes
        self.parameterCount = parameterCount
        self.contextLength = contextLength
        self.architecture = architecture
        self.license = license
        self.chatTemplate = chatTemplate
        self.chosenBecause = chosenBecause
        self.isDefaultChoice = isDefaultChoice
        self.hasOwnChatTemplate = hasOwnChatTemplate
        self.alternatives = alternatives
        self.warnings = warnings
        self.manifest = manifest
        self.hub = hub
        self.drift = drift
        self.generation = generation
        self.revision = revision
        self.createdAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case name, repo, commit, format, quantization, architecture, license, alternatives, warnings, manifest, hub
        case drift, generation, revision
        case displayName = "display_name"
        case requestedRevision = "requested_revision"
        case requestedFilename = "requested_filename"
        case requestedQuantization = "requested_quantization"
        case sizeBytes = "size_bytes"
        case requiredMemoryBytes = "required_memory_bytes"
        case parameterCount = "parameter_count"
        case contextLength = "context_length"
        case chatTemplate = "chat_template"
        case chosenBecause = "chosen_because"
        case isDefaultChoice = "default_choice"
        case hasOwnChatTemplate = "has_own_chat_template"
        case createdAt = "created_at"
    }
}
