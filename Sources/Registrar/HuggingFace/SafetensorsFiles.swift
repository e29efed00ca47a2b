import Catalog

/// The safetensors at a repository's root: copies in folders (`original/`, `metal/`, `onnx/`) are not the model. Where the
/// root has none and one folder that is not such a copy has an index, that is the model.
struct SafetensorsFiles: Sendable {
    let weights: [HubFile]
    let indexes: [HubFile]
    /// There are some in folders.
    private let hasCopies: Bool
    /// In folders that do not hold copies.
    private let nestedIndexes: [HubFile]
    private let hasProjectors: Bool

    init(_ repository: HubRepository) {
        let all = repository.files.filter { Self.isWeights($0.path) }
        weights = all.filter { $0.folder.isEmpty }
        indexes = repository.files.filter { Self.isIndex($0.path) && $0.folder.isEmpty }
        nestedIndexes = repository.files.filter { file in
            Self.isIndex(file.path) && !file.folder.isEmpty
                && !Self.copies.contains { file.path.hasPrefix($0 + "/") }
        }
        hasCopies = all.count > weights.count
        hasProjectors = repository.files.contains(where: GGUFSet.isProjector)
    }

    var isThere: Bool { !weights.isEmpty || !indexes.isEmpty }
    var names: [String] { (indexes.isEmpty ? weights : indexes).map(\.path) }

    static func isWeights(_ path: String) -> Bool { path.hasSuffix(".safetensors") }
    static func isIndex(_ path: String) -> Bool { path.hasSuffix(indexEnding) }

    private static let copies = ["original", "metal", "onnx"]
    private static let indexEnding = ".safetensors.index.json"
    /// The name that every library writes and reads without being told.
    private static let usualIndex = "model.safetensors.index.json"

    /// The model of a repository that has no GGUF file.
    func choose(from repository: HubRepository) throws(Rejection) -> ArtifactSelection {
        guard isThere else {
            guard nestedIndexes.count == 1 else { throw nothing }
            return try Self.choose(nestedIndexes[0], from: repository)
        }
        if let index = indexes.first(where: { $0.name == Self.usualIndex }) ?? (indexes.count == 1 ? indexes[0] : nil) {
            return try Self.selection(.sharded(index: index, asked: nil), in: "", of: repository)
        }
        guard indexes.isEmpty, weights.count == 1 else {
            let reason = indexes.isEmpty ? "several safetensors files and no index" : "several safetensors indexes"
            throw .ambiguousArtifact(
                "The repository has \(reason): choose with `filename` from \(QuotedText.list(names)).")
        }
        return try Self.selection(.safetensors(weights[0]), in: "", of: repository)
    }

    private var nothing: Rejection {
        if hasCopies {
            return .noArtifact(
                "The repository has safetensors in folders only, which may be copies or parts: choose one with `filename`."
            )
        }
        return .noArtifact(
            hasProjectors
                ? "The repository has a projector only, and no model in GGUF or safetensors."
                : "The repository has no model in GGUF or safetensors.")
    }

    /// What a file is that was asked for: an index, a shard of one, or a model by itself.
    static func choose(_ file: HubFile, from repository: HubRepository) throws(Rejection) -> ArtifactSelection {
        let folder = file.folder
        if isIndex(file.path) {
            return try selection(.sharded(index: file, asked: nil), in: folder, of: repository)
        }
        let index = repository.files.filter { index in
            isIndex(index.path) && index.folder == folder
                && file.name.hasPrefix(index.name.dropLast(indexEnding.count))
        }.max { $0.name.utf8.count < $1.name.utf8.count }
        if let index { return try selection(.sharded(index: index, asked: file), in: folder, of: repository) }
        guard !isShard(file.path) else {
            throw .incompleteShards(
                "\(QuotedText.of(file.path)) is one part of a model, and the repository has no index that says which the others are."
            )
        }
        return try selection(.safetensors(file), in: folder, of: repository)
    }

    /// `-00001-of-00003.safetensors`
    static func isShard(_ path: String) -> Bool {
        let tail = Array(path.utf8.dropLast(".safetensors".utf8.count).suffix(15))
        return tail.count == 15 && tail[0] == UInt8(ascii: "-") && tail[6...9].elementsEqual("-of-".utf8)
            && (tail[1...5] + tail[10...14]).allSatisfy { $0 &- 0x30 < 10 }
    }

    private static func selection(
        _ weights: ArtifactSelection.Weights, in folder: String, of repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        let metadata = MetadataFiles(of: repository, nearTo: folder)
        guard metadata.configuration != nil else {
            throw .missingMetadata("The repository has safetensors and no config.json, which a runtime needs.")
        }
        guard metadata.hasTokenizer else {
            throw .missingMetadata(
                "The repository has safetensors and no tokenizer: tokenizer.json, tokenizer.model, or vocab.json with merges.txt."
            )
        }
        return ArtifactSelection(weights: weights, quantization: nil, alternatives: [], metadata: metadata)
    }
}
