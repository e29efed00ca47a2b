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
        if case .adapter = selection.weights {
            let adapter = contents[.adapterConfiguration].flatMap {
                HubJSON.decode(AdapterConfiguration.self, from: $0, isHandwritten: true)
            }
            throw .adapter(base: adapter?.baseModel ?? repository.baseModel)
        }
        let configuration = try configuration(selection, contents)
        let index = contents[.index].flatMap(ShardIndex.init(file:))
        let weights = try weights(of: selection, index: index, repository: repository)
        let isModelOfRoot = weights.index.map { $0.folder.isEmpty } ?? weights.files.allSatisfy(\.folder.isEmpty)
        let isGGUF = selection.format == .gguf
        let quantization = isGGUF ? selection.quantization : configuration?.quantization
        try check(reference.quantization, quantization: quantization, format: selection.format)
        let repo = repository.id ?? reference.repo
        let size = weights.files.totalSize.flatMap { $0 > 0 ? $0 : nil }
        let files = try ManifestContents(
            repository: repository, selection: selection, weights: weights,
            runtime: configuration?.runtime ?? "llama_cpp", hasRemoteCode: hasRemoteCode(contents),
            modules: contents[.modules].flatMap(SentenceModules.init(file:))
        ).files(repo: repo, hub: hub)
        let manifest = Manifest.sealed(
            Manifest(
                name: repo.lowercased(), repo: repo, commit: repository.commit, format: selection.format,
                quantization: quantization, sizeBytes: size, files: files, createdAt: timestamp(now), digest: ""))
        return RegistrationRecord(
            name: manifest.name, repo: repo, displayName: request.displayName, requestedRevision: reference.revision,
            requestedFilename: reference.filename, requestedQuantization: reference.quantization,
            commit: repository.commit, format: selection.format, quantization: quantization, sizeBytes: size,
            requiredMemoryBytes: requiredMemory(forSize: size),
            parameterCount: isGGUF
                ? selection.head?.parameterCount
                : (isModelOfRoot ? repository.parameterCount : nil)
                    ?? weights.index.flatMap { _ in index?.parameterCount },
            contextLength: isGGUF ? selection.head?.contextLength : configuration?.contextLength,
            architecture: (isGGUF ? selection.head?.architecture : configuration?.architecture)
                ?? repository.architecture,
            license: repository.license,
            chatTemplate: chatTemplate(for: request, selection: selection, contents: contents),
            chosenBecause: weights.ignoredIndex == nil || reference.filename != nil
                ? selection.reason : "the repository has no other files of a model than these, by their names",
            isDefaultChoice: selection.isDefault, hasOwnChatTemplate: ownChatTemplate(of: request) != nil,
            alternatives: selection.alternatives,
            warnings: warnings(of: repository, selection: selection, weights: weights, contents: contents),
            manifest: manifest, hub: repository.info(fetchedAt: now), generation: 0, revision: 0, createdAt: 0)
    }

    private static func configuration(
        _ selection: ArtifactSelection, _ contents: RepositoryContents
    ) throws(Rejection) -> ModelConfiguration? {
        guard selection.format == .safetensors else { return nil }
        guard let configuration = contents[.configuration].flatMap(ModelConfiguration.init(file:)) else {
            let name = selection.metadata.configuration?.path ?? "config.json"
            throw .missingMetadata("The repository's \(QuotedText.of(name)) is not a JSON object.")
        }
        return configuration
    }

    /// The files, and the index that names them.
    private static func weights(
        of selection: ArtifactSelection, index: ShardIndex?, repository: HubRepository
    ) throws(Rejection) -> ChosenWeights {
        switch selection.weights {
        case .gguf(let files), .safetensors(let files):
            guard files.count <= maximumFiles else { throw tooManyFiles(files.count) }
            return ChosenWeights(files: files)
        case .adapter: return ChosenWeights(files: [])
        case .sharded(let indexFile, let asked):
            let named = index?.shards ?? []
            guard named.count <= maximumFiles else { throw tooManyFiles(named.count) }
            let shards = named.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            // A path that is not safe is none of the repository's: the Hub's list has been checked.
            let missing = shards.filter { repository.file(indexFile.folder + $0) == nil }
            if let asked, !named.contains(asked.name), !SafetensorsFiles.isShard(asked.path) {
                return ChosenWeights(files: [asked])
            }
            // Paths that lead out of the repository are no mistake of a copy.
            guard missing.count < shards.count || !shards.allSatisfy(HubPath.isSafe) else {
                return try weights(without: indexFile, asked: asked, missing: missing, repository: repository)
            }
            if let asked, !named.contains(asked.name) {
                throw .incompleteShards(
                    "\(QuotedText.of(asked.path)) is one part of a model, and \(QuotedText.of(indexFile.path)) does not name it."
                )
            }
            guard missing.isEmpty else {
                throw .incompleteShards(
                    "\(QuotedText.of(indexFile.path)) names files that the repository lacks: \(QuotedText.list(missing))."
                )
            }
            let files = try shards.compactMap { repository.file(indexFile.folder + $0) }.checkedWeights(of: indexFile)
            return ChosenWeights(files: files, index: indexFile)
        }
    }

    /// The weights beside an index that could not be read, or that was copied from another build of the model and names
    /// none of them.
    private static func weights(
        without index: HubFile, asked: HubFile?, missing: [String], repository: HubRepository
    ) throws(Rejection) -> ChosenWeights {
        let files =
            asked.map { SafetensorsFiles.wholeSet(with: $0, in: repository)?.files }
            ?? SafetensorsFiles.withoutIndex(in: index.folder, of: repository)
        guard let files else {
            let reason =
                missing.isEmpty
                ? "cannot be read" : "names files that the repository lacks: \(QuotedText.list(missing))"
            throw .incompleteShards(
                "\(QuotedText.of(index.path)) \(reason), and no other files of the repository are one whole model by their names: choose one with `filename`."
            )
        }
        guard files.count <= maximumFiles else { throw tooManyFiles(files.count) }
        return ChosenWeights(files: files, ignoredIndex: index)
    }

    /// What chooses among GGUF files must at least not be contradicted by safetensors.
    private static func check(
        _ asked: String?, quantization: String?, format: ModelFormat
    ) throws(Rejection) {
        guard format == .safetensors, let asked,
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
