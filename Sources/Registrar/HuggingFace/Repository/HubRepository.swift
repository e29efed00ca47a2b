import Catalog
import Conventions
import FoundationEssentials
import JSON

/// A file of a repository, as the Hub lists it.
struct HubFile: Sendable, Hashable {
    /// Relative to the repository's root; safe by `HubPath`.
    let path: String
    let sizeBytes: Int64?
    /// 64 hex digits in lower case; nil for a file outside of LFS.
    let sha256: String?
    /// Its content lies elsewhere, and is never asked for.
    let isLFS: Bool

    var name: String { HubPath.name(of: path) }
    var folder: String { HubPath.folder(of: path) }
}

/// What the Hub says of a repository at one commit (`GET /api/models/{repo}/revision/{rev}`), checked.
struct HubRepository: Sendable {
    /// What the Hub has read in the head of a GGUF file; of several files it does not say which.
    struct GGUF: Sendable, Hashable {
        var parameterCount: Int64?
        var architecture: String?
        var contextLength: Int64?
        var chatTemplate: String?
    }

    /// As the Hub spells it, `org/name`; nil where it does not say.
    let id: String?
    /// 40 hex digits in lower case.
    let commit: String
    /// Each path once, sorted by it.
    let files: [HubFile]
    let isGated: Bool
    let isDisabled: Bool
    let gguf: GGUF?
    /// Of the safetensors together.
    let parameterCount: Int64?
    let license: String?
    /// Of an adapter or a quantization, by the repository's card.
    let baseModel: String?
    /// From the Hub's own excerpt of `config.json`.
    let architecture: String?
    let downloads: Int64?
    let likes: Int64?
    let lastModified: String?

    private let filesByPath: [String: HubFile]

    func file(_ path: String) -> HubFile? { filesByPath[path] }

    /// - Throws: 502 `hub_error` for what is no such answer: not JSON, no commit, or paths that no repository can have.
    init(answer: [UInt8]) throws(Rejection) {
        guard let answer = HubJSON.decode(Answer.self, from: answer) else {
            throw .hubError("The Hub's answer about the repository is not the JSON object that it should be.")
        }
        guard let commit = answer.sha.flatMap({ Self.hexadecimal($0, digits: 40) }) else {
            throw .hubError("The Hub does not say which commit the revision is.")
        }
        if let id = answer.id, !RepositoryLocation.isRepositoryID(id) {
            throw .hubError("The Hub gives the repository a name that none can have: \(QuotedText.of(id)).")
        }
        var filesByPath: [String: HubFile] = [:]
        for sibling in answer.siblings where filesByPath[sibling.path] == nil {
            guard HubPath.isSafe(sibling.path) else {
                throw .hubError("The Hub lists a file whose path none can have: \(QuotedText.of(sibling.path)).")
            }
            filesByPath[sibling.path] = sibling.file
        }
        id = answer.id
        self.commit = commit
        self.filesByPath = filesByPath
        files = filesByPath.values.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        isGated = answer.isGated
        isDisabled = answer.isDisabled
        gguf = answer.gguf
        parameterCount = answer.parameterCount
        license = answer.license
        baseModel = answer.baseModel
        architecture = answer.architecture
        downloads = answer.downloads
        likes = answer.likes
        lastModified = answer.lastModified
    }

    /// In lower case; nil where it is not exactly `digits` hex digits.
    static func hexadecimal(_ text: String, digits: Int) -> String? {
        let text = text.lowercased()
        guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }) else { return nil }
        return text
    }
}

/// The answer as it is sent.
private struct Answer: Decodable {
    var id: String?
    var sha: String?
    var siblings: [Sibling]
    var isGated: Bool
    var isDisabled: Bool
    var gguf: HubRepository.GGUF?
    var parameterCount: Int64?
    var license: String?
    var baseModel: String?
    var architecture: String?
    var downloads: Int64?
    var likes: Int64?
    var lastModified: String?

    enum CodingKeys: String, CodingKey {
        case id, sha, siblings, gated, disabled, gguf, safetensors, cardData, tags, config
        case downloads, likes, lastModified
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = fields.usable(.id)
        sha = fields.usable(.sha)
        siblings = fields.usable(.siblings, as: [Lenient<Sibling>].self)?.compactMap(\.value) ?? []
        // false, true, "auto", "manual", or absent.
        isGated = fields.usable(.gated) ?? (fields.usable(.gated, as: String.self) != nil)
        isDisabled = fields.usable(.disabled) ?? false
        gguf = fields.usable(.gguf, as: Head.self)?.gguf
        parameterCount = fields.usable(.safetensors, as: Totals.self)?.total
        let card = fields.usable(.cardData, as: Card.self)
        license = card?.license ?? Self.license(inTagsOf: fields)
        baseModel = card?.baseModel
        architecture = fields.usable(.config, as: ModelConfiguration.self)?.architecture
        downloads = fields.usable(.downloads, as: Int64.self).flatMap { $0 >= 0 ? $0 : nil }
        likes = fields.usable(.likes, as: Int64.self).flatMap { $0 >= 0 ? $0 : nil }
        lastModified = HubJSON.word(fields.usable(.lastModified))
    }

    private static func license(inTagsOf fields: KeyedDecodingContainer<CodingKeys>) -> String? {
        let prefix = "license:"
        let tags = fields.usable(.tags, as: [Lenient<String>].self)?.compactMap(\.value) ?? []
        return HubJSON.word(tags.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }
}

private struct Sibling: Decodable {
    var path: String
    var sizeBytes: Int64?
    var sha256: String?
    var isLFS: Bool

    var file: HubFile { HubFile(path: path, sizeBytes: sizeBytes, sha256: sha256, isLFS: isLFS) }

    struct LFS: Decodable {
        var size: Int64?
        var sha256: String?

        enum CodingKeys: String, CodingKey { case size, sha256 }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            size = fields.usable(.size)
            sha256 = fields.usable(.sha256)
        }
    }

    enum CodingKeys: String, CodingKey { case rfilename, size, lfs }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        path = try fields.decode(String.self, forKey: .rfilename)
        let lfs = fields.usable(.lfs, as: LFS.self)
        isLFS = lfs != nil
        sizeBytes = (fields.usable(.size) ?? lfs?.size).flatMap { (0...(1 << 53)).contains($0) ? $0 : nil }
        sha256 = lfs?.sha256.flatMap { HubRepository.hexadecimal($0, digits: 64) }
    }
}

private struct Head: Decodable {
    var gguf: HubRepository.GGUF

    enum CodingKeys: String, CodingKey {
        case total, architecture
        case contextLength = "context_length"
        case chatTemplate = "chat_template"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        gguf = HubRepository.GGUF(
            parameterCount: HubJSON.count(fields.usable(.total)),
            architecture: HubJSON.word(fields.usable(.architecture)),
            contextLength: HubJSON.count(fields.usable(.contextLength)), chatTemplate: fields.usable(.chatTemplate))
    }
}

private struct Totals: Decodable {
    var total: Int64?

    enum CodingKeys: String, CodingKey { case total }

    init(from decoder: any Decoder) throws {
        total = HubJSON.count(try decoder.container(keyedBy: CodingKeys.self).usable(.total))
    }
}

private struct Card: Decodable {
    var license: String?
    var baseModel: String?

    enum CodingKeys: String, CodingKey {
        case license
        case baseModel = "base_model"
    }

    /// One, or a list of them.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func first(_ key: CodingKeys) -> String? {
            HubJSON.word(fields.usable(key) ?? fields.usable(key, as: [Lenient<String>].self)?.first?.value)
        }
        license = first(.license)
        baseModel = first(.baseModel)
    }
}
