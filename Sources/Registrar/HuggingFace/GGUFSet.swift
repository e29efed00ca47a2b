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

    /// All models among the files, sorted by path. Projectors and helpers are left out.
    static func all(in files: [HubFile]) -> [GGUFSet] {
        var sets: [SplitName: GGUFSet] = [:]
        for file in files where isModel(file) {
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

    static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

    /// A vision or audio projector: used beside a model, never by itself.
    static func isProjector(_ file: HubFile) -> Bool {
        isGGUF(file.path) && file.name.lowercased().contains("mmproj")
    }

    static func isModel(_ file: HubFile) -> Bool {
        guard isGGUF(file.path), !isProjector(file) else { return false }
        let name = file.name.lowercased()
        return !name.contains("imatrix") && !helpers.contains { name.hasPrefix($0) }
    }

    /// What llama.cpp's own tools write besides models.
    private static let helpers = ["ggml-vocab", "ggml-adapter", "control-vector", "control_vector"]
}

/// The parts of one file have this in common (`-00001-of-00003.gguf`; older tools wrote a dot before it).
private struct SplitName: Hashable {
    let stem: String
    let separator: Character
    /// 1 where the name is not of a part.
    let count: Int
    /// Tells a file that is not split, `a.gguf`, from the one part of `a-00001-of-00001.gguf`.
    let isSplit: Bool
    /// `.gguf` as it is written.
    let ending: String

    init(path: String) {
        let ending = String(decoding: path.utf8.suffix(5), as: UTF8.self)
        let bytes = Array(path.utf8.dropLast(5))
        let tail = bytes.suffix(15)
        let marks = Array(tail)
        guard marks.count == 15, marks[0] == UInt8(ascii: "-") || marks[0] == UInt8(ascii: "."),
            marks[6...9].elementsEqual("-of-".utf8), let number = Self.number(marks[1...5]),
            let count = Self.number(marks[10...14]), (1...max(count, 1)).contains(number), count > 0
        else {
            self.init(
                stem: String(decoding: bytes, as: UTF8.self), separator: "-", count: 1, isSplit: false, ending: ending)
            return
        }
        self.init(
            stem: String(decoding: bytes.dropLast(15), as: UTF8.self),
            separator: marks[0] == UInt8(ascii: "-") ? "-" : ".", count: count, isSplit: true, ending: ending)
    }

    private init(stem: String, separator: Character, count: Int, isSplit: Bool, ending: String) {
        self.ending = ending
        self.stem = stem
        self.separator = separator
        self.count = count
        self.isSplit = isSplit
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { $0 &- 0x30 < 10 } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }
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
