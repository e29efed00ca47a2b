import Synchronization

/// The ids under which endpoints list a registered model, with ASCII letters in lower case.
///
/// Nothing looser than the rules say: a model that is wrongly called ready is worse than one that is missing.
struct RegistrationNames: Sendable, Hashable {
    /// Ids that are the repository's own, with or without the Hub's host before and the quantization behind.
    let repository: Set<String>
    /// Ids that are only its last part, or a chosen file's name without `.gguf`.
    let short: Set<String>
    /// Last parts of ids that are paths: the chosen GGUF files. Those of other formats are named alike in every
    /// repository (`model.safetensors`), and no server lists them.
    let files: Set<String>

    init(_ record: RegistrationRecord) {
        let repo = ASCIIFolding.lowercased(record.repo)
        let last = repo.split(separator: "/").last.map(String.init) ?? repo
        var suffixes = [""]
        if let quantization = record.quantization { suffixes.append(":" + ASCIIFolding.lowercased(quantization)) }
        // Ollama lists a repository that was pulled without a tag as `latest`, and chooses by an order like the Hub's.
        if record.isChosenByDefault { suffixes.append(":latest") }
        func forms(_ base: String) -> [String] {
            ["", "hf.co/", "huggingface.co/"].flatMap { host in suffixes.map { host + base + $0 } }
        }
        let weights = record.manifest.files.filter { $0.role == .weights }.map { ASCIIFolding.lowercased($0.name) }
            .filter { $0.hasSuffix(Self.fileExtension) }
        repository = Set(forms(repo))
        short = Set(forms(last) + weights.map { String($0.dropLast(Self.fileExtension.count)) })
        files = Set(weights)
    }

    /// How well an id names it; the least is the best. nil where it does not.
    func rank(of id: FoldedID) -> Int? {
        if repository.contains(id.whole) { return 0 }
        if let file = id.file, files.contains(file) { return 1 }
        return short.contains(id.whole) ? 2 : nil
    }

    static let fileExtension = ".gguf"
}

extension RegistrationRecord {
    /// Whether the registered GGUF file is the one that is chosen if nobody names a file or a quantization. A record that
    /// does not say is taken for another: a model that is wrongly called ready is worse than one that is missing.
    fileprivate var isChosenByDefault: Bool { format == .gguf && isDefaultChoice == true }
}

/// A model's id as it is compared with the names of registrations.
struct FoldedID: Sendable, Hashable {
    let whole: String
    /// Its last part, where that is a GGUF file's name.
    let file: String?

    init(_ id: ModelID) {
        let folded = ASCIIFolding.lowercased(id.value)
        whole = folded
        let last =
            folded.utf8.lastIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
            .map { folded[folded.utf8.index(after: $0)...] } ?? folded[...]
        file = last.hasSuffix(RegistrationNames.fileExtension) ? String(last) : nil
    }
}

/// Lower case for ASCII letters alone: the same everywhere, whatever version of Unicode a process was built with.
public enum ASCIIFolding {
    public static func lowercased(_ text: String) -> String {
        guard text.utf8.contains(where: isUppercase) else { return text }
        return String(decoding: text.utf8.map(lowercased), as: UTF8.self)
    }

    static func lowercased(_ byte: UInt8) -> UInt8 { isUppercase(byte) ? byte | 0x20 : byte }

    private static func isUppercase(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
}

/// Numbers that are given once in a process, each higher than those before.
enum ChangeStamp {
    private static let last = Atomic<UInt64>(0)

    static func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// Which registrations there are by name, and which lines of the merged list by what could match them.
///
/// The lines are indexed only once there is a registration.
struct RegistrationIndex: Sendable {
    private(set) var names: [String: RegistrationNames] = [:]
    /// The names, sorted.
    private(set) var order: [String] = []
    /// When something that shows of a registration last may have changed; see `stamp`.
    private var stamps: [String: UInt64] = [:]
    private var stampOfAll: UInt64 = 0
    /// When the lines that a registration's names match last may have changed.
    private var lineStamps: [String: UInt64] = [:]
    /// The greatest stamp that any registration's lines, or the set of registrations, has had; 0 before the first.
    private(set) var lastLineStamp: UInt64 = 0
    private var ownersOfID: [String: [String]] = [:]
    private var ownersOfFile: [String: [String]] = [:]
    private var linesOfID: [String: [Int]] = [:]
    private var linesOfFile: [String: [Int]] = [:]

    var isEmpty: Bool { names.isEmpty }

    /// Puts `new` in the place of what `name` had; nil removes it.
    mutating func replace(_ name: String, with new: RegistrationNames?) {
        if let old = names.removeValue(forKey: name) {
            for key in old.repository.union(old.short) { Self.remove(name, at: key, from: &ownersOfID) }
            for key in old.files { Self.remove(name, at: key, from: &ownersOfFile) }
        }
        reorder(name, isThere: new != nil)
        lastLineStamp = ChangeStamp.next()
        guard let new else { return }
        names[name] = new
        touchLines(of: name)
        for key in new.repository.union(new.short) { ownersOfID[key, default: []].append(name) }
        for key in new.files { ownersOfFile[key, default: []].append(name) }
    }

    mutating func add(line: Int, _ id: ModelID) {
        let folded = FoldedID(id)
        linesOfID[folded.whole, default: []].append(line)
        if let file = folded.file { linesOfFile[file, default: []].append(line) }
    }

    mutating func remove(line: Int, _ id: ModelID) {
        let folded = FoldedID(id)
        Self.remove(line, at: folded.whole, from: &linesOfID)
        if let file = folded.file { Self.remove(line, at: file, from: &linesOfFile) }
    }

    /// The registration that `id` names best; of several the first by name.
    func registration(of id: ModelID) -> String? {
        let folded = FoldedID(id)
        return owners(of: id).min { left, right in
            let ranks = (names[left]?.rank(of: folded) ?? .max, names[right]?.rank(of: folded) ?? .max)
            return ranks.0 == ranks.1 ? ByteOrder.precedes(left, right) : ranks.0 < ranks.1
        }
    }

    /// The lines whose ids `names` has, each once, in no order.
    func lines(of names: RegistrationNames) -> Set<Int> {
        var lines = Set<Int>()
        for key in names.repository { lines.formUnion(linesOfID[key] ?? []) }
        for key in names.short { lines.formUnion(linesOfID[key] ?? []) }
        for key in names.files { lines.formUnion(linesOfFile[key] ?? []) }
        return lines
    }

    /// Rises whenever something that shows of the registration may have changed. No two catalogs of a process have a
    /// stamp in common that stands for different things.
    func stamp(of name: String) -> UInt64 { max(stamps[name] ?? 0, stampOfAll) }

    mutating func touch(_ name: String) {
        if names[name] != nil { stamps[name] = ChangeStamp.next() }
    }

    /// Like `stamp(of:)`, but only of the lines that the registration's names match.
    func lineStamp(of name: String) -> UInt64 { lineStamps[name] ?? 0 }

    private mutating func touchLines(of name: String) {
        touch(name)
        lastLineStamp = ChangeStamp.next()
        lineStamps[name] = lastLineStamp
    }

    /// The line of `id` has changed.
    mutating func touchLines(ofOwnersOf id: ModelID) {
        for name in owners(of: id) { touchLines(of: name) }
    }

    /// What shows of the endpoints that list `id` has changed.
    mutating func touch(ownersOf id: ModelID) {
        for name in owners(of: id) { touch(name) }
    }

    /// The registrations whose names match `id`.
    private func owners(of id: ModelID) -> [String] {
        guard !names.isEmpty else { return [] }
        let folded = FoldedID(id)
        return (ownersOfID[folded.whole] ?? []) + (folded.file.flatMap { ownersOfFile[$0] } ?? [])
    }

    mutating func touchAll() { stampOfAll = ChangeStamp.next() }

    private mutating func reorder(_ name: String, isThere: Bool) {
        if !isThere {
            stamps[name] = nil
            lineStamps[name] = nil
        }
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if ByteOrder.precedes(order[middle], name) { low = middle + 1 } else { high = middle }
        }
        let wasThere = low < order.count && ByteOrder.same(order[low], name)
        if isThere, !wasThere { order.insert(name, at: low) }
        if !isThere, wasThere { order.remove(at: low) }
    }

    private static func remove<Value: Equatable>(_ value: Value, at key: String, from map: inout [String: [Value]]) {
        map[key]?.removeAll { $0 == value }
        if map[key]?.isEmpty == true { map[key] = nil }
    }
}
