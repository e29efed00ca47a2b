import Catalog

/// What a GGUF file is, by its path.
enum GGUFKind: Sendable, Hashable {
    case model
    /// A vision or audio encoder, used beside a model.
    case projector
    /// A small model that guesses tokens ahead of the model (speculative decoding).
    case draft
    /// A LoRA adapter, which changes a base model that is elsewhere.
    case adapter
    /// What llama.cpp's tools write besides models: importance matrices, vocabularies, control vectors.
    case helper

    /// nil for a file that is no GGUF.
    init?(path: String) {
        guard Self.isGGUF(path) else { return nil }
        let stem = SplitName(path: path).stem.lowercased()
        let name = HubPath.name(of: stem)
        let words = Set(name.split { "-._ ".contains($0) })
        let folders = HubPath.folder(of: stem).split(separator: "/")
        func starts(_ beginnings: [String]) -> Bool { beginnings.contains { name.hasPrefix($0) } }
        if starts(["mmproj", "mm-projector", "mm_projector"]) || words.contains("mmproj") {
            self = .projector
        } else if starts(["mtp-", "draft-"]) || name == "mtp" || name.hasSuffix("-mtp")
            || !words.isDisjoint(with: ["eagle3", "dflash"]) || folders.contains("mtp") || folders.contains("draft")
        {
            self = .draft
        } else if starts(["imatrix", "ggml-vocab", "control-vector", "control_vector"])
            || words.contains("imatrix") && QuantizationName(path: name) == nil
        {
            self = .helper
        } else if words.contains("lora") && !words.contains("merged") || starts(["ggml-adapter"]) {
            self = .adapter
        } else {
            self = .model
        }
    }

    static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

    /// What the file is instead of a model, for people.
    var explanation: String {
        switch self {
        case .model: "is a model"
        case .projector: "is a projector, which comes with a model and is none by itself"
        case .draft: "is a drafter, which guesses tokens for a model and is none by itself"
        case .adapter: "is a LoRA adapter, which changes a base model and is none by itself"
        case .helper: "is a helper file of llama.cpp's tools and no model"
        }
    }
}

/// The GGUF files of a repository by what they are.
struct GGUFFiles: Sendable {
    /// What can be registered.
    let sets: [GGUFSet]
    let projectors: [HubFile]
    let drafts: [HubFile]
    let adapters: [HubFile]
    /// Pieces of GGUF files that were cut as bytes: nothing loads them before they are joined.
    let pieces: [HubFile]

    init(_ files: [HubFile]) {
        var byKind: [GGUFKind: [HubFile]] = [:]
        var pieces: [HubFile] = []
        for file in files {
            if let kind = GGUFKind(path: file.path) {
                byKind[kind, default: []].append(file)
            } else if Self.isPiece(file.path) {
                pieces.append(file)
            }
        }
        var models = byKind[.model] ?? []
        var adapters = byKind[.adapter] ?? []
        if models.isEmpty {
            // convert_lora_to_gguf.py writes F32, F16, BF16, and Q8_0 only. If there is nothing else, a file of another
            // quantization is a model that was trained with LoRA and is named after that.
            models = adapters.filter { !Self.isAdapterQuantization(QuantizationName(path: $0.name)) }
            adapters.removeAll(where: models.contains)
        }
        sets = GGUFSet.sets(of: models)
        projectors = byKind[.projector] ?? []
        drafts = byKind[.draft] ?? []
        self.adapters = adapters
        self.pieces = pieces
    }

    private static func isAdapterQuantization(_ name: QuantizationName?) -> Bool {
        name.map { ["F32", "F16", "BF16", "Q8_0"].contains($0.text) } ?? true
    }

    /// `a.gguf.part1of2`, `a.gguf-split-a`
    static func isPiece(_ path: String) -> Bool {
        guard let end = path.lowercased().firstRange(of: ".gguf")?.upperBound else { return false }
        let rest = path.lowercased()[end...]
        return ["part", "split"].contains { mark in [".", "-", "_"].contains { rest.hasPrefix($0 + mark) } }
    }

    /// The projector to list beside a model: of those for this model, the one whose precision was asked for, else BF16,
    /// else F16.
    func projector(for set: GGUFSet, quantization: String?) -> HubFile? {
        let asked = quantization.map { QuantizationName(request: $0).text }
        let stem = set.stem
        let own = stem.isEmpty ? [] : projectors.filter { $0.name.lowercased().contains(stem) }
        let near = (own.isEmpty ? projectors : own)
        let inFolder = near.filter { $0.folder == HubPath.folder(of: set.filename) }
        func rank(_ file: HubFile) -> Int {
            let precision = QuantizationName(path: file.path)?.text
            if asked != nil, precision == asked { return 0 }
            return ["BF16": 1, "F16": 2, "F32": 3][precision ?? ""] ?? 4
        }
        return (inFolder.isEmpty ? near : inFolder).min { (rank($0), $0.path) < (rank($1), $1.path) }
    }

    /// Architectures that the Hub can name in its `gguf` object if it has read another file than a model.
    private static let companionArchitectures: Set = ["clip", "mmproj", "siglip", "eagle3", "dflash", "controlvector"]

    /// The Hub's `gguf` object, if it can only be of the chosen model. The Hub does not say which file it has read: with
    /// models of different names it may have been another one, and it may have been a projector.
    func head(of repository: HubRepository) -> HubRepository.GGUF? {
        guard let head = repository.gguf, Set(sets.map(\.stem)).count == 1,
            !Self.companionArchitectures.contains(head.architecture?.lowercased() ?? "")
        else { return nil }
        return head
    }
}
