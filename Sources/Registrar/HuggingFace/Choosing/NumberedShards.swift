/// Safetensors files that say by their names which part of a model they are: `stem-N-of-M.safetensors`, each number with
/// any count of digits (Kimi K2 has `-00001-of-000062`).
struct NumberedShards: Sendable, Hashable {
    let stem: String
    let count: Int
    /// By their number.
    private(set) var files: [HubFile]
    private var numbers: Set<Int>

    /// One that has all its parts. gpt-oss counts from 0 to the count itself, others from 1 or to one less.
    var isWhole: Bool {
        numbers.isSuperset(of: 1...count) || numbers == Set(0..<count)
    }

    /// Names of parts that should be there, by the numbers 1 to the count.
    var missing: [String] {
        (1...count).filter { !numbers.contains($0) }.map { number in
            let digits = String(number)
            return "\(stem)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits)-of-\(count)"
        }
    }

    static let maximumCount = 100_000

    /// All sets among the files, by their stems.
    static func sets(of files: [HubFile]) -> [NumberedShards] {
        var sets: [String: NumberedShards] = [:]
        for file in files {
            guard let name = ShardName(path: file.path) else { continue }
            var set =
                sets["\(name.stem) \(name.count)"]
                ?? NumberedShards(stem: name.stem, count: name.count, files: [], numbers: [])
            if set.numbers.insert(name.number).inserted { set.files.append(file) }
            sets["\(name.stem) \(name.count)"] = set
        }
        return sets.values.map { set in
            var set = set
            set.files.sort { (ShardName(path: $0.path)?.number ?? 0) < (ShardName(path: $1.path)?.number ?? 0) }
            return set
        }.sorted { ($0.stem, $0.count) < ($1.stem, $1.count) }
    }
}

/// A path of the form `stem-N-of-M.safetensors`.
struct ShardName: Sendable, Hashable {
    let stem: String
    let number: Int
    let count: Int

    init?(path: String) {
        guard SafetensorsFiles.isWeights(path) else { return nil }
        let parts = path.dropLast(".safetensors".count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[parts.count - 2] == "of", let number = Self.number(parts[parts.count - 3]),
            let count = Self.number(parts[parts.count - 1]), (1...NumberedShards.maximumCount).contains(count),
            number <= count
        else { return nil }
        stem = parts.dropLast(3).joined(separator: "-")
        self.number = number
        self.count = count
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(text)
    }
}
