import Catalog

/// The safetensors at a repository's root: copies in folders (`original/`, `metal/`, `onnx/`) are not the model. Where the
/// root has none and one folder that is not such a copy has an index, that is the model.
struct SafetensorsFiles: Sendable {
    /// Without adapters.
    let weights: [HubFile]
    let indexes: [HubFile]
    /// There are some in folders.
    private let hasCopies: Bool
    /// In folders that do not hold copies.
    private let nestedIndexes: [HubFile]
    private let hasAdapter: Bool

    init(_ repository: HubRepository) {
        let all = repository.files.filter { Self.isWeights($0.path) && !Self.isAdapter($0.path) }
        weights = all.filter { $0.folder.isEmpty }
        indexes = repository.files.filter { Self.isIndex($0.path) && $0.folder.isEmpty && !Self.isAdapter($0.path) }
        nestedIndexes = repository.files.filter { file in
            Self.isIndex(file.path) && !file.folder.isEmpty
                && !Self.copies.contains { file.path.hasPrefix($0 + "/") }
        }
        hasCopies = all.count > weights.count
        hasAdapter = repository.files.contains { Self.isAdapter($0.path) }
    }

    var isThere: Bool { !weights.isEmpty || !indexes.isEmpty }
    var names: [String] { (indexes.isEmpty ? weights : indexes).map(\.path) }

    static func isWeights(_ path: String) -> Bool { path.hasSuffix(".safetensors") }
    static func isIndex(_ path: String) -> Bool { path.hasSuffix(indexEnding) }
    /// What PEFT writes; also beside a merged model.
    static func isAdapter(_ path: String) -> Bool { HubPath.name(of: path).hasPrefix("adapter_model") }
    /// Mistral's own layout, often beside the usual one.
    static func isConsolidated(_ path: String) -> Bool { HubPath.name(of: path).hasPrefix("consolidated") }

    private static let copies = ["original", "metal", "onnx"]
    private static let indexEnding = ".safetensors.index.json"
    /// The names that every library writes and reads without being told.
    private static let usualIndex = "model.safetensors.index.json"
    private static let usualFile = "model.safetensors"

    /// The model of a repository that has no GGUF file.
    func choose(from repository: HubRepository) throws(Rejection) -> ArtifactSelection {
        guard isThere else {
            if let adapter = repository.file("adapter_config.json") {
                return ArtifactSelection(adapter: adapter, of: repository)
            }
            guard nestedIndexes.count == 1, repository.file("model_index.json") == nil else {
                throw nothing(in: repository)
            }
            return try Self.choose(nestedIndexes[0], from: repository)
        }
        if let index = indexes.first(where: { $0.name == Self.usualIndex }) {
            return try Self.selection(
                .sharded(index: index, asked: nil), because: "\(index.path) names its shards", in: "", of: repository)
        }
        let others = (weights + indexes).filter { $0.name != Self.usualFile }
        if let file = weights.first(where: { $0.name == Self.usualFile }),
            others.allSatisfy({ Self.isConsolidated($0.path) || $0.name.hasPrefix("model.") })
        {
            return try Self.selection(
                .safetensors([file]),
                because: others.isEmpty
                    ? "it is the only safetensors file at the root"
                    : "every library reads model.safetensors; the others are the same model in another layout or precision",
                in: "", of: repository)
        }
        if indexes.count == 1 {
            return try Self.selection(
                .sharded(index: indexes[0], asked: nil), because: "\(indexes[0].path) names its shards", in: "",
                of: repository)
        }
        guard indexes.isEmpty else { throw ambiguous("several safetensors indexes", repository) }
        if weights.count == 1, !Self.isShard(weights[0].path) {
            return try Self.selection(
                .safetensors(weights), because: "it is the only safetensors file at the root", in: "", of: repository)
        }
        return try chooseByNumbers(from: repository)
    }

    /// The model of a repository that has several files and no index.
    private func chooseByNumbers(from repository: HubRepository) throws(Rejection) -> ArtifactSelection {
        let usual = weights.filter { !Self.isConsolidated($0.path) }
        let candidates = usual.isEmpty ? weights : usual
        let sets = NumberedShards.sets(of: candidates)
        guard sets.count == 1, sets[0].files.count == candidates.count else {
            throw ambiguous("several safetensors files and no index", repository)
        }
        guard sets[0].isWhole else {
            throw .incompleteShards(
                "The repository lacks \(QuotedText.list(sets[0].missing)) of \(sets[0].count) shards, and it has no index that names others."
            )
        }
        return try Self.selection(
            .safetensors(sets[0].files), because: "the \(sets[0].files.count) shards are whole by their numbers",
            in: "", of: repository)
    }

    private func ambiguous(_ reason: String, _ repository: HubRepository) -> Rejection {
        .ambiguousArtifact(
            "The repository has \(reason): choose with `filename` from \(QuotedText.list(names)).\(Rejection.hint(filename: names.first))"
        )
    }

    private func nothing(in repository: HubRepository) -> Rejection {
        if hasAdapter { return .adapter(base: repository.baseModel) }
        if repository.file("model_index.json") != nil {
            return .unsupportedArtifact(
                "The repository is a pipeline of several models (model_index.json), which is not registered as one: name one of its models with `filename`."
            )
        }
        if hasCopies {
            return .noArtifact(
                "The repository has safetensors in folders only, which may be copies or parts: choose one with `filename`."
            )
        }
        let endings = [".bin", ".pt", ".pth", ".onnx", ".nemo", ".h5", ".ckpt"].filter { ending in
            repository.files.contains { $0.path.hasSuffix(ending) }
        }
        let what =
            endings.isEmpty
            ? "" : " Its weights are of a kind that is not registered (\(endings.joined(separator: ", ")))."
        return .noArtifact(
            "The repository has no model in GGUF or safetensors.\(what) Look on the Hub for a repository that was converted from it (\"quantizations\" on its page) and register that."
        )
    }

    /// What a file is that was asked for: an index, a shard of one, or a model by itself.
    static func choose(_ file: HubFile, from repository: HubRepository) throws(Rejection) -> ArtifactSelection {
        let folder = file.folder
        if isAdapter(file.path) { throw .adapter(base: repository.baseModel) }
        if isIndex(file.path) {
            return try selection(
                .sharded(index: file, asked: nil), because: "\(file.path) names its shards", in: folder, of: repository)
        }
        let asked = "the request names \(file.path)"
        let index = repository.files.filter { index in
            isIndex(index.path) && index.folder == folder
                && file.name.hasPrefix(index.name.dropLast(indexEnding.count))
        }.max { $0.name.utf8.count < $1.name.utf8.count }
        if let index {
            return try selection(.sharded(index: index, asked: file), because: asked, in: folder, of: repository)
        }
        guard isShard(file.path) else {
            return try selection(.safetensors([file]), because: asked, in: folder, of: repository)
        }
        guard let set = wholeSet(with: file, in: repository) else {
            throw .incompleteShards(
                "\(QuotedText.of(file.path)) is one part of a model, and the repository has neither all parts nor an index that says which the others are."
            )
        }
        return try selection(.safetensors(set.files), because: asked, in: folder, of: repository)
    }

    /// `-00001-of-00003.safetensors`
    static func isShard(_ path: String) -> Bool { ShardName(path: path) != nil }

    static func wholeSet(with file: HubFile, in repository: HubRepository) -> NumberedShards? {
        NumberedShards.sets(of: weights(in: file.folder, of: repository)).first {
            $0.isWhole && $0.files.contains(file)
        }
    }

    /// What a folder holds by the names of its files: `model.safetensors`, which every library reads, or the shards that
    /// are whole by their numbers. nil where there is neither, or where there are several such sets.
    static func withoutIndex(in folder: String, of repository: HubRepository) -> [HubFile]? {
        let all = weights(in: folder, of: repository)
        let usual = all.filter { !isConsolidated($0.path) }
        let whole = NumberedShards.sets(of: usual.isEmpty ? all : usual).filter(\.isWhole)
        if let file = all.first(where: { $0.name == usualFile }) { return whole.isEmpty ? [file] : nil }
        return whole.count == 1 ? whole[0].files : nil
    }

    private static func weights(in folder: String, of repository: HubRepository) -> [HubFile] {
        repository.files.filter { $0.folder == folder && isWeights($0.path) && !isAdapter($0.path) }
    }

    private static func selection(
        _ weights: ArtifactSelection.Weights, because reason: String, in folder: String, of repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        let metadata = MetadataFiles(of: repository, nearTo: folder)
        guard metadata.configuration != nil else {
            throw .missingMetadata(
                "The repository has safetensors and neither config.json nor params.json, one of which a runtime needs: register the repository that these weights were made from, or one in GGUF."
            )
        }
        return ArtifactSelection(weights: weights, reason: reason, metadata: metadata)
    }
}
