import Catalog

/// Which weights of a repository are registered, as far as the list of its files says.
struct ArtifactSelection: Sendable, Hashable {
    enum Weights: Sendable, Hashable {
        /// A GGUF file, or all parts of one.
        case gguf([HubFile])
        /// A safetensors file that stands alone.
        case safetensors(HubFile)
        /// The shards that an index names. With a file asked for that the index does not name, that file.
        case sharded(index: HubFile, asked: HubFile?)
    }

    let weights: Weights
    /// By the name of the GGUF file.
    let quantization: String?
    /// What could have been chosen instead.
    let alternatives: [ArtifactChoice]
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
        let sets = GGUFSet.all(in: repository.files)
        let safetensors = SafetensorsFiles(repository)
        if let filename {
            return try choose(filename, quantization: quantization, sets: sets, from: repository)
        }
        guard !sets.isEmpty else { return try safetensors.choose(from: repository) }
        if let quantization {
            let chosen = try GGUFSet.choose(from: sets, quantization: quantization)
            return try gguf(chosen, of: sets, from: repository)
        }
        guard !safetensors.isThere else {
            throw .ambiguousArtifact(
                "The repository has the model both as GGUF (\(QuotedText.list(sets.map(\.filename)))) and as safetensors (\(QuotedText.list(safetensors.names))): choose with `filename`, or with `quantization` for GGUF."
            )
        }
        return try gguf(try GGUFSet.choose(from: sets), of: sets, from: repository)
    }

    private static func choose(
        _ filename: String, quantization: String?, sets: [GGUFSet], from repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        guard let file = repository.file(filename) else {
            let choices =
                sets.isEmpty ? repository.files.map(\.path).filter(SafetensorsFiles.isWeights) : sets.map(\.filename)
            let hint = choices.isEmpty ? "it has no GGUF or safetensors files" : "it has \(QuotedText.list(choices))"
            throw .fileNotFound("The repository has no file \(QuotedText.of(filename)); \(hint).")
        }
        if let set = sets.first(where: { $0.parts.contains(file) }) {
            if let quantization, !set.hasQuantization(QuantizationName(request: quantization)) {
                throw .fileNotFound(
                    "\(QuotedText.of(filename)) is not of the quantization \(QuotedText.of(quantization)): give one of the two.",
                    param: "quantization")
            }
            return try gguf(set, of: sets, from: repository)
        }
        if SafetensorsFiles.isWeights(filename) || SafetensorsFiles.isIndex(filename) {
            return try SafetensorsFiles.choose(file, from: repository)
        }
        let reason =
            GGUFSet.isProjector(file)
            ? "is a projector, which comes with a model and is none by itself"
            : GGUFSet.isGGUF(filename) ? "is a helper file and no model" : "is neither GGUF nor safetensors"
        throw .unsupportedArtifact("\(QuotedText.of(filename)) \(reason).", param: "filename")
    }

    private static func gguf(
        _ set: GGUFSet, of sets: [GGUFSet], from repository: HubRepository
    ) throws(Rejection) -> ArtifactSelection {
        let missing = set.missing
        guard missing.count == 0 else {
            throw .incompleteShards(
                "The file is split into \(set.count) parts, of which the repository lacks \(QuotedText.list(missing.paths, of: missing.count))."
            )
        }
        let others = sets.filter { $0 != set && $0.isComplete }
            .sorted { ($0.rank, $0.filename) < ($1.rank, $1.filename) }
        return ArtifactSelection(
            weights: .gguf(set.parts), quantization: set.quantization?.text,
            alternatives: others.prefix(maximumAlternatives).map(\.choice),
            metadata: MetadataFiles(of: repository, nearTo: HubPath.folder(of: set.filename)))
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
                "The repository has no GGUF file of the quantization \(QuotedText.of(quantization)); it has \(known.isEmpty ? "none that its files' names tell" : QuotedText.list(known)).",
                param: "quantization")
        }
        guard matches.count == 1 else {
            throw .ambiguousArtifact(
                "Several GGUF files are of the quantization \(QuotedText.of(quantization)): choose with `filename` from \(QuotedText.list(matches.map(\.filename)))."
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
                "The repository has several GGUF models: choose with `filename` from \(QuotedText.list(equals.map(\.filename)))."
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
