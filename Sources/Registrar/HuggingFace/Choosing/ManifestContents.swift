import Catalog
import Conventions
import Crypto
import JSON

/// The weights that are registered.
struct ChosenWeights: Sendable, Hashable {
    let files: [HubFile]
    /// What names them, where something does.
    var index: HubFile?
    /// An index that is there and does not name them.
    var ignoredIndex: HubFile?
}

/// Which files of a repository a manifest lists.
struct ManifestContents: Sendable {
    let repository: HubRepository
    let selection: ArtifactSelection
    let weights: ChosenWeights
    /// Of the weights.
    let runtime: String
    /// A config names code.
    let hasRemoteCode: Bool
    /// Of sentence-transformers, where the model is one of its.
    let modules: SentenceModules?

    private static let metalNames = ["model.metal.bin", "metal/model.bin"]

    /// Highest priority first, then by path.
    func files(repo: String, hub: HubAddress) throws(Rejection) -> [ManifestFile] {
        let isGGUF = selection.format == .gguf
        func file(
            _ file: HubFile, _ role: ManifestFile.Role, priority: Int = 0, isOptional: Bool = false
        ) -> ManifestFile {
            ManifestFile(
                name: file.name, path: file.path, role: role, sizeBytes: file.sizeBytes, sha256: file.sha256,
                url: hub.file(file.path, of: repo, commit: repository.commit), priority: priority, runtimes: [runtime],
                isOptional: isOptional)
        }
        // A GGUF file holds its own configuration and tokenizer: the ones beside it are for whoever wants them.
        var files = selection.metadata.entries.map { entry in
            file(entry.file, entry.role, priority: 10, isOptional: entry.isOptional || isGGUF)
        }
        if let index = weights.index { files.append(file(index, .index, priority: 5)) }
        files += weights.files.map { file($0, .weights) }
        files += [selection.projector].compactMap { $0 }.map { file($0, .mmproj, isOptional: true) }
        files += selection.drafts.map { file($0, .draft, isOptional: true) }
        if !isGGUF {
            files += Self.metalNames.compactMap(repository.file).map { file($0, .metal, isOptional: true) }
            if hasRemoteCode {
                files += selection.metadata.code.map { file($0, .code, priority: 10, isOptional: true) }
            }
            files += moduleFiles.map { $0.isWeights ? file($0.file, .module) : file($0.file, .config, priority: 10) }
            // A module can be the folder of the model itself.
            var paths: Set<String> = []
            files = files.filter { paths.insert($0.path).inserted }
        }
        guard files.count <= RegistrationRules.maximumFiles else { throw RegistrationRules.tooManyFiles(files.count) }
        return files.sorted {
            $0.priority == $1.priority
                ? $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) : $0.priority > $1.priority
        }
    }
}

extension ManifestContents {
    /// What sentence-transformers reads: without its pooling a model gives other vectors.
    private var moduleFiles: [(file: HubFile, isWeights: Bool)] {
        guard selection.metadata.modules != nil else { return [] }
        let ofRoot = repository.files.filter { file in
            file.folder.isEmpty
                && (["modules.json", "config_sentence_transformers.json"].contains(file.name)
                    || file.name.hasPrefix("sentence_") && file.name.hasSuffix("_config.json"))
        }
        let ofModules = (modules?.folders ?? []).flatMap { folder in
            let all = repository.files.filter { $0.path.hasPrefix(folder + "/") }
            let hasSafetensors = all.contains { SafetensorsFiles.isWeights($0.path) }
            return all.compactMap { file -> (file: HubFile, isWeights: Bool)? in
                if SafetensorsFiles.isWeights(file.path) { return (file, true) }
                if file.name.hasSuffix(".bin") { return hasSafetensors ? nil : (file, true) }
                return file.name.hasSuffix(".json") || file.name.hasSuffix(".txt") ? (file, false) : nil
            }
        }
        return ofRoot.map { ($0, false) } + ofModules
    }
}

extension Manifest {
    /// With its digest.
    static func sealed(_ manifest: Manifest) -> Manifest {
        var sealed = manifest
        do {
            let bytes = try JSONCoding.encode(WithoutDigest(manifest: manifest))
            sealed.digest = "sha256:" + SHA256.hash(data: bytes).hexadecimal
        } catch {
            // Strings, integers, and booleans only: there is nothing that JSON cannot say.
            preconditionFailure("a manifest that JSON cannot represent")
        }
        return sealed
    }

    private struct WithoutDigest: Encodable {
        let manifest: Manifest

        enum CodingKeys: String, CodingKey {
            case name, repo, commit, format, quantization, files
            case sizeBytes = "size_bytes"
            case createdAt = "created_at"
        }

        func encode(to encoder: any Encoder) throws {
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(manifest.name, forKey: .name)
            try fields.encode(manifest.repo, forKey: .repo)
            try fields.encode(manifest.commit, forKey: .commit)
            try fields.encode(manifest.format, forKey: .format)
            try fields.encodeIfPresent(manifest.quantization, forKey: .quantization)
            try fields.encode(manifest.files, forKey: .files)
            try fields.encodeIfPresent(manifest.sizeBytes, forKey: .sizeBytes)
            try fields.encode(manifest.createdAt, forKey: .createdAt)
        }
    }
}
