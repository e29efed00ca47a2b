import Catalog

/// One GGUF model of a repository: a file, or the parts that `gguf-split` made of one.
struct GGUFSet: Sendable, Hashable {
    /// In their order.
    private(set) var parts: [HubFile]
    let quantization: QuantizationName?
    /// Parts that there should be; 1 for a file that is not split.
    let count: Int
    /// The path of a part, without its number.
    private let name: SplitName

    /// The parts that are not there: the paths of the first few, and how many.
    var missing: (paths: [String], count: Int) {
        guard parts.count < count else { return ([], 0) }
        let present = Set(parts.map(\.path))
        let absent = (1...count).lazy.map(path(ofPart:)).filter { !present.contains($0) }
        return (Array(absent.prefix(12)), count - parts.count)
    }

    var isComplete: Bool { parts.count == count }
    /// The file, or the first part that is there.
    var filename: String { parts[0].path }
    var rank: Int { quantization?.rank ?? QuantizationName.unknownRank }

    var choice: ArtifactChoice {
        ArtifactChoice(
            quantization: quantization?.text, filename: filename, sizeBytes: isComplete ? parts.totalSize : nil)
    }

    private func path(ofPart number: Int) -> String {
        func digits(_ number: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "\(name.stem)\(name.separator)\(digits(number))-of-\(digits(count))\(name.ending)"
    }

    /// The models that the files are, sorted by path.
    static func sets(of files: [HubFile]) -> [GGUFSet] {
        var sets: [SplitName: GGUFSet] = [:]
        for file in files {
            let name = SplitName(path: file.path)
            sets[name, default: GGUFSet(name)].parts.append(file)
        }
        return sets.values.sorted { $0.filename.utf8.lexicographicallyPrecedes($1.filename.utf8) }
    }

    private init(_ name: SplitName) {
        parts = []
        quantization = QuantizationName(path: name.stem)
        count = name.count
        self.name = name
    }

    /// The file's name without its quantization, in lower case: equal for all quantizations of one model.
    var stem: String { QuantizationName.stem(ofName: HubPath.name(of: name.stem)) }
}

extension [HubFile] {
    /// nil where the Hub does not give the size of each.
    var totalSize: Int64? {
        var total: Int64 = 0
        for file in self {
            guard let size = file.sizeBytes else { return nil }
            total += size
            // Of sizes that are checked one by one, some hundreds of the largest could overflow.
            guard total <= 1 << 53 else { return nil }
        }
        return total
    }
}
