import Catalog
import FoundationEssentials

extension RegistrationRules {
    /// The record, with `generation`, `revision`, and `createdAt` 0.
    ///
    /// - Parameter now: milliseconds since 1970.
    static func record(
        for request: RegistrationRequest, reference: RepositoryReference, repository: HubRepository,
        selection: ArtifactSelection, contents: RepositoryContents, hub: HubAddress, now: Int64
    ) throws(Rejection) -> RegistrationRecord {
        let configuration = try configuration(selection, contents)
        let index = try index(selection, contents)
        let weights = try weights(of: selection, index: index, repository: repository)
        let isModelOfRoot = weights.index.map { $0.folder.isEmpty } ?? weights.files.allSatisfy(\.folder.isEmpty)
        let quantization =
            selection.format == .gguf ? selection.quantization : configuration?.quantization
        try check(request, quantization: quantization, format: selection.format)
        let repo = repository.id ?? reference.repo
        let size = weights.files.totalSize.flatMap { $0 > 0 ? $0 : nil }
        let files = try ManifestContents(
            repository: repository, selection: selection, weights: weights,
            runtime: configuration?.runtime ?? "llama_cpp"
        ).files(repo: repo, hub: hub)
        let manifest = Manifest.sealed(
            Manifest(
                name: repo.lowercased(), repo: repo, commit: repository.commit, format: selection.format,
                quantization: quantization, sizeBytes: size, files: files, createdAt: timestamp(now), digest: ""))
        let isGGUF = selection.format == .gguf
        return RegistrationRecord(
            name: manifest.name, repo: repo, displayName: request.displayName, requestedRevision: reference.revision,
            requestedFilename: reference.filename, requestedQuantization: request.quantization,
            commit: repository.commit, format: selection.format, quantization: quantization, sizeBytes: size,
            requiredMemoryBytes: requiredMemory(forSize: size),
            parameterCount: isGGUF
                ? repository.gguf?.parameterCount
                : (isModelOfRoot ? repository.parameterCount : nil)
                    ?? weights.index.flatMap { _ in index?.parameterCount },
            contextLength: isGGUF ? repository.gguf?.contextLength : configuration?.contextLength,
            architecture: (isGGUF ? repository.gguf?.architecture : configuration?.architecture)
                ?? repository.architecture,
            license: repository.license,
            chatTemplate: chatTemplate(
                for: request, repository: repository, selection: selection, contents: contents),
            hasOwnChatTemplate: ownChatTemplate(of: request) != nil, alternatives: selection.alternatives,
            warnings: warnings(of: repository), manifest: manifest, hub: repository.info(fetchedAt: now),
            generation: 0, revision: 0, createdAt: 0)
    }

    private static func configuration(
        _ selection: ArtifactSelection, _ contents: RepositoryContents
    ) throws(Rejection) -> ModelConfiguration? {
        guard selection.format == .safetensors else { return nil }
        guard let configuration = contents[.configuration].flatMap(ModelConfiguration.init(file:)) else {
            throw .missingMetadata("The repository's config.json is not a JSON object.")
        }
        return configuration
    }

    private static func index(
        _ selection: ArtifactSelection, _ contents: RepositoryContents
    ) throws(Rejection) -> ShardIndex? {
        guard case .sharded(let file, _) = selection.weights else { return nil }
        guard let index = contents[.index].flatMap(ShardIndex.init(file:)) else {
            throw .incompleteShards("\(QuotedText.of(file.path)) is not an index that names the shards of a model.")
        }
        return index
    }

    /// The files, and the index that names them.
    private static func weights(
        of selection: ArtifactSelection, index: ShardIndex?, repository: HubRepository
    ) throws(Rejection) -> ChosenWeights {
        switch selection.weights {
        case .gguf(let parts):
            guard parts.count <= maximumFiles else { throw tooManyFiles(parts.count) }
            return ChosenWeights(files: parts)
        case .safetensors(let file): return ChosenWeights(files: [file])
        case .sharded(let indexFile, let asked):
            let named = index?.shards ?? []
            if let asked, !named.contains(asked.name) {
                guard !SafetensorsFiles.isShard(asked.path) else {
                    throw .incompleteShards(
                        "\(QuotedText.of(asked.path)) is one part of a model, and \(QuotedText.of(indexFile.path)) does not name it."
                    )
                }
                return ChosenWeights(files: [asked])
            }
            guard named.count <= maximumFiles else { throw tooManyFiles(named.count) }
            let shards = named.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            // A path that is not safe is none of the repository's: the Hub's list has been checked.
            let missing = shards.filter { repository.file(indexFile.folder + $0) == nil }
            guard missing.isEmpty else {
                throw .incompleteShards(
                    "\(QuotedText.of(indexFile.path)) names files that the repository lacks: \(QuotedText.list(missing))."
                )
            }
            let files = try shards.compactMap { repository.file(indexFile.folder + $0) }.checkedWeights(of: indexFile)
            return ChosenWeights(files: files, index: indexFile)
        }
    }

    /// What chooses among GGUF files must at least not be contradicted by safetensors.
    private static func check(
        _ request: RegistrationRequest, quantization: String?, format: ModelFormat
    ) throws(Rejection) {
        guard format == .safetensors, let asked = request.quantization, !asked.isEmpty,
            asked.lowercased() != quantization?.lowercased()
        else { return }
        throw .unsupportedArtifact(
            "The model is registered as safetensors, whose quantization is \(quantization.map { QuotedText.of($0) } ?? "not said"): `quantization` chooses among GGUF files.",
            param: "quantization")
    }

    static func tooManyFiles(_ count: Int) -> Rejection {
        .unsupportedArtifact("The model has \(count) files, and at most \(maximumFiles) can be registered.")
    }

    /// RFC 3339, whole seconds, UTC.
    private static func timestamp(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }
}

extension [HubFile] {
    /// An index could name any file; what is no safetensors is no shard.
    fileprivate func checkedWeights(of index: HubFile) throws(Rejection) -> [HubFile] {
        let others = filter { !SafetensorsFiles.isWeights($0.path) }.map(\.path)
        guard others.isEmpty else {
            throw .unsupportedArtifact(
                "\(QuotedText.of(index.path)) names files that are not safetensors: \(QuotedText.list(others)).")
        }
        return self
    }
}

extension HubRepository {
    /// What changes all the time.
    func info(fetchedAt: Int64) -> HubInfo {
        HubInfo(downloads: downloads, likes: likes, lastModified: lastModified, fetchedAt: fetchedAt)
    }
}
