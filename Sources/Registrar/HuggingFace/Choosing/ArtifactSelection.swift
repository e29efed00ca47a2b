import Catalog

/// Which weights of a repository are registered, as far as the list of its files says.
struct ArtifactSelection: Sendable, Hashable {
    enum Weights: Sendable, Hashable {
        /// A GGUF file, or all parts of one.
        case gguf([HubFile])
        /// A safetensors file that stands alone, or shards that are whole by their numbers.
        case safetensors([HubFile])
        /// The shards that an index names. With a file asked for that the index does not name, that file.
        case sharded(index: HubFile, asked: HubFile?)
        /// No model: what is refused once this file has said of which model it is an adapter.
        case adapter(HubFile)
    }

    let weights: Weights
    /// By the name of the GGUF file.
    var quantization: String?
    /// What could have been chosen instead.
    var alternatives: [ArtifactChoice] = []
    /// Why these weights, the end of a sentence for people.
    let reason: String
    /// Whether a request without a file and a quantization chooses the same.
    var isDefault = true
    /// The Hub's reading of the chosen GGUF file.
    var head: HubRepository.GGUF?
    /// What is listed beside a GGUF model.
    var projector: HubFile?
    var drafts: [HubFile] = []
    let metadata: MetadataFiles

    var format: ModelFormat {
        if case .gguf = weights { .gguf } else { .safetensors }
    }

    static let maximumAlternatives = 100

    /// - Parameters:
    ///   - filename: a path in the repository
    ///   - quantization: as the request writes it
    /// - Throws: 400 `file_not_found`, `unsupported_artifact`, `ambiguous_artifact`, `missing_metadata`,
    ///   `incomplete_shards`, `no_artifact`.
    static func choose(
        from repository: HubRepository, filename: String?, quantization: String?
    ) throws(Rejection) -> ArtifactSelection {
        let quantization = quantization.flatMap { $0.isEmpty ? nil : $0 }
        let files = GGUFFiles(repository.files)
        let safetensors = SafetensorsFiles(repository)
        if let filename {
            return try choose(filename, quantization: quantization, files: files, from: repository)
        }
        guard !files.sets.isEmpty else {
            guard safetensors.isThere else {
                try refuseCompanions(files, of: repository)
                return try safetensors.choose(from: repository)
            }
            return try safetensors.choose(from: repository)
        }
        if let quantization {
            return try gguf(
                try GGUFSet.choose(from: files.sets, quantization: quantization),
                because: "the request names the quantization \(quantization)", quantization: quantization,
                of: files, from: repository)
        }
        guard !safetensors.isThere else {
            throw .ambiguousArtifact(
                "The repository has the model both as GGUF (\(QuotedText.list(files.sets.map(\.filename)))) and as safetensors (\(QuotedText.list(safetensors.names))): choose with `filename`, or with `quantization` for GGUF.\(Rejection.hint(filename: files.sets[0].filename))"
            )
        }
        let set = try GGUFSet.choose(from: files.sets)
        let reason =
            files.sets.count == 1
            ? "it is the only GGUF model of the repository"
            : "\(set.quantization?.text ?? "it") comes first in the order \(QuantizationName.order)"
        return try gguf(set, because: reason, quantization: nil, of: files, from: repository)
    }

    /// Refuses a repository whose GGUF files are all of a kind that is no model.
    private static func refuseCompanions(_ files: GGUFFiles, of repository: HubRepository) throws(Rejection) {
        if !files.adapters.isEmpty, repository.file("adapter_config.json") == nil {
            throw .adapter(base: repository.baseModel)
        }
        if !files.drafts.isEmpty {
            throw .unsupportedArtifact(
                "The repository has drafters only (\(QuotedText.list(files.drafts.map(\.path)))), which guess tokens for a model: register the model\(repository.baseModel.map { ", " + QuotedText.plain($0, atMost: 100) } ?? "")."
            )
        }
        if !files.projectors.isEmpty {
            throw .noArtifact(
                "The repository has a projector only, and no model in GGUF or safetensors: register the repository of the model that it comes with."
            )
        }
        if !files.pieces.isEmpty {
            throw .unsupportedArtifact(
                "The repository has GGUF files only in pieces that have to be joined first (\(QuotedText.list(files.pieces.map(\.path)))): register a repository that has whole files, or files split by llama-gguf-split."
            )
        }
    }

    private static func choose(
        _ filename: String, quantization: String?, files: GGUFFiles, from repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        guard let file = repository.file(filename) else {
            let choices =
                files.sets.isEmpty
                ? repository.files.map(\.path).filter(SafetensorsFiles.isWeights) : files.sets.map(\.filename)
            let hint = choices.isEmpty ? "it has no GGUF or safetensors files" : "it has \(QuotedText.list(choices))"
            throw .fileNotFound(
                "The repository has no file \(QuotedText.of(filename)); \(hint).\(Rejection.hint(filename: choices.first))"
            )
        }
        if let set = files.sets.first(where: { $0.parts.contains(file) }) {
            if let quantization, !set.hasQuantization(QuantizationName(request: quantization)) {
                throw .fileNotFound(
                    "\(QuotedText.of(filename)) is not of the quantization \(QuotedText.of(quantization)): give one of the two.",
                    param: "quantization")
            }
            return try gguf(
                set, because: "the request names \(file.path)", quantization: quantization, of: files, from: repository)
        }
        if SafetensorsFiles.isWeights(filename) || SafetensorsFiles.isIndex(filename) {
            var selection = try SafetensorsFiles.choose(file, from: repository)
            selection.isDefault = false
            return selection
        }
        let reason =
            GGUFKind(path: filename)?.explanation
            ?? (GGUFFiles.isPiece(filename)
                ? "is a piece of a GGUF file that has to be joined first" : "is neither GGUF nor safetensors")
        throw .unsupportedArtifact(
            "\(QuotedText.of(filename)) \(reason).\(Rejection.hint(filename: files.sets.first?.filename))",
            param: "filename")
    }

    private static func gguf(
        _ set: GGUFSet, because reason: String, quantization: String?, of files: GGUFFiles,
        from repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        let missing = set.missing
        guard missing.count == 0 else {
            throw .incompleteShards(
                "The file is split into \(set.count) parts, of which the repository lacks \(QuotedText.list(missing.paths, of: missing.count))."
            )
        }
        let others = files.sets.filter { $0 != set && $0.isComplete }
            .sorted { ($0.rank, $0.filename) < ($1.rank, $1.filename) }
        return ArtifactSelection(
            weights: .gguf(set.parts), quantization: set.quantization?.text,
            alternatives: others.prefix(maximumAlternatives).map(\.choice), reason: reason,
            isDefault: (try? GGUFSet.choose(from: files.sets)) == set, head: files.head(of: repository),
            projector: files.projector(for: set, quantization: quantization), drafts: files.drafts,
            metadata: MetadataFiles(of: repository, nearTo: HubPath.folder(of: set.filename)))
    }
}

extension ArtifactSelection {
    /// Of a repository that holds an adapter and no model.
    init(adapter: HubFile, of repository: HubRepository) {
        self.init(
            weights: .adapter(adapter), reason: "it is all there is",
            metadata: MetadataFiles(of: repository, nearTo: ""))
    }
}

extension GGUFSet {
    /// `Q4_K_M` is also what `UD-Q4_K_M` is, as far as a request goes that says no more.
    func hasQuantization(_ asked: QuantizationName) -> Bool {
        guard let quantization else { return false }
        return quantization.text == asked.text || quantization.base == asked.text[...]
    }

    /// The one with a quantization. A plain one goes before the `UD-` one of the same name, one that is all there before
    /// one with missing parts.
    static func choose(from sets: [GGUFSet], quantization: String) throws(Rejection) -> GGUFSet {
        let asked = QuantizationName(request: quantization)
        let exact = sets.filter { $0.quantization?.text == asked.text }
        let all = exact.isEmpty ? sets.filter { $0.hasQuantization(asked) } : exact
        let complete = all.filter(\.isComplete)
        let matches = complete.isEmpty ? all : complete
        guard let match = matches.first else {
            let known = Set(sets.compactMap { $0.quantization?.text }).sorted()
            throw .fileNotFound(
                "The repository has no GGUF file of the quantization \(QuotedText.of(quantization)); it has \(known.isEmpty ? "none that its files' names tell: choose with `filename`" : QuotedText.list(known)).\(Rejection.hint(quantization: sets.min { $0.rank < $1.rank }?.quantization?.text))",
                param: "quantization")
        }
        guard matches.count == 1 else {
            throw .ambiguousArtifact(
                "Several GGUF files are of the quantization \(QuotedText.of(quantization)): choose with `filename` from \(QuotedText.list(matches.map(\.filename))).\(Rejection.hint(filename: match.filename))"
            )
        }
        return match
    }

    /// The best by rank. Sets with missing parts count only where there is nothing else; files that do not differ in
    /// what is ranked are not chosen between.
    static func choose(from sets: [GGUFSet]) throws(Rejection) -> GGUFSet {
        let complete = sets.filter(\.isComplete)
        let candidates = (complete.isEmpty ? sets : complete).sorted { $0.order.lexicographicallyPrecedes($1.order) }
        guard let best = candidates.first else { throw .noArtifact("The repository has no GGUF file.") }
        let equals = candidates.filter { $0.order == best.order }
        guard equals.count == 1 else {
            throw .ambiguousArtifact(
                "The repository has several GGUF models: choose with `filename` from \(QuotedText.list(equals.map(\.filename))).\(Rejection.hint(filename: best.filename))"
            )
        }
        return best
    }

    /// Rank, then a plain one before a `UD-` one, then the name of the quantization.
    private var order: [String] {
        let rank = String(rank + 100)
        guard let quantization else { return [rank] }
        let isDynamic = quantization.base.count != quantization.text.count
        return [rank, isDynamic ? "1" : "0", quantization.text]
    }
}
