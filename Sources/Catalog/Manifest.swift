/// What weights are written in.
public struct ModelFormat: OpenName {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let gguf = Self(rawValue: "gguf")
    public static let safetensors = Self(rawValue: "safetensors")

    public static let allCases = [Self.gguf, .safetensors]
}

/// One file of a manifest.
public struct ManifestFile: Sendable, Hashable, Codable {
    public struct Role: OpenName {
        public let rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        public static let weights = Self(rawValue: "weights")
        public static let config = Self(rawValue: "config")
        public static let tokenizer = Self(rawValue: "tokenizer")
        public static let index = Self(rawValue: "index")
        public static let mmproj = Self(rawValue: "mmproj")
        public static let metal = Self(rawValue: "metal")
        /// A small model that guesses tokens ahead of the weights (speculative decoding).
        public static let draft = Self(rawValue: "draft")
        /// Weights of a layer behind the model, such as a projection of sentence-transformers.
        public static let module = Self(rawValue: "module")
        /// Python that a runtime executes when it loads the model (`auto_map` in a config).
        public static let code = Self(rawValue: "code")
        public static let chatTemplate = Self(rawValue: "chat_template")

        public static let allCases = [
            Self.weights, .config, .tokenizer, .index, .mmproj, .metal, .draft, .module, .code, .chatTemplate,
        ]
    }

    /// The last part of `path`.
    public var name: String
    /// Relative to the repository's root.
    public var path: String
    public var role: Role
    /// nil where the Hub gives none.
    public var sizeBytes: Int64?
    /// 64 hex digits in lower case; nil for a file that the Hub keeps no SHA-256 of (small files outside of LFS).
    public var sha256: String?
    /// Pinned to the commit; on the Hub itself.
    public var url: String
    /// Higher ones are to be downloaded first.
    public var priority: Int
    /// Runtimes that use the file, as in `llama_cpp`.
    public var runtimes: [String]
    /// Whether a node can do without it.
    public var isOptional: Bool

    public init(
        name: String, path: String, role: Role, sizeBytes: Int64?, sha256: String?, url: String, priority: Int,
        runtimes: [String], isOptional: Bool
    ) {
        self.name = name
        self.path = path
        self.role = role
        self.sizeBytes = sizeBytes
        self.sha256 = sha256
        self.url = url
        self.priority = priority
        self.runtimes = runtimes
        self.isOptional = isOptional
    }

    enum CodingKeys: String, CodingKey {
        case name, path, role, sha256, url, priority, runtimes
        case sizeBytes = "size_bytes"
        case isOptional = "optional"
    }
}

/// The files that a node downloads by itself from the Hub. As JSON it is what clients get.
public struct Manifest: Sendable, Hashable, Codable {
    /// Of the registration.
    public var name: String
    /// As the Hub spells it.
    public var repo: String
    /// 40 hex digits.
    public var commit: String
    public var format: ModelFormat
    public var quantization: String?
    /// Of the chosen weights together; nil where the Hub does not give it for each of them.
    public var sizeBytes: Int64?
    /// Highest priority first, then by path.
    public var files: [ManifestFile]
    /// RFC 3339, whole seconds, UTC.
    public var createdAt: String
    /// `sha256:` and the SHA-256 of this manifest as JSON (sorted keys, slashes not escaped) without this field.
    public var digest: String

    public init(
        name: String, repo: String, commit: String, format: ModelFormat, quantization: String?, sizeBytes: Int64?,
        files: [ManifestFile], createdAt: String, digest: String
    ) {
        self.name = name
        self.repo = repo
        self.commit = commit
        self.format = format
        self.quantization = quantization
        self.sizeBytes = sizeBytes
        self.files = files
        self.createdAt = createdAt
        self.digest = digest
    }

    enum CodingKeys: String, CodingKey {
        case name, repo, commit, format, quantization, files, digest
        case sizeBytes = "size_bytes"
        case createdAt = "created_at"
    }
}
