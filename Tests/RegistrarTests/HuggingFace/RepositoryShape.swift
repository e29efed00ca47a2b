@testable import Registrar

/// The files of a repository as a text: paths with sizes, one or more a line.
///
///     config.json 1k  model-{1-5}-of-00005.safetensors 4G
///
/// `{1-5}` stands for as many files, with the numbers as long as the count behind `-of-`; the size is of each.
struct RepositoryShape {
    let files: [(String, Int64?)]
    /// An index of each set that is written with `{…}`, by the name that goes with it.
    private(set) var indexes: [String: RegistrationCase.Content] = [:]

    init(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        precondition(words.count.isMultiple(of: 2), "a file without a size in \(text)")
        var files: [(String, Int64?)] = []
        for index in stride(from: 0, to: words.count, by: 2) {
            let paths = Self.expanded(words[index])
            files += paths.map { ($0, Self.size(words[index + 1])) }
            guard paths.count > 1, let stem = ShardName(path: paths[0])?.stem else { continue }
            let map = paths.enumerated().map { "\"w\($0.offset)\":\"\(HubPath.name(of: $0.element))\"" }
            indexes["\(stem).safetensors.index.json"] = .text("{\"weight_map\":{\(map.joined(separator: ","))}}")
        }
        self.files = files
    }

    private static func expanded(_ path: String) -> [String] {
        guard let open = path.firstIndex(of: "{"), let close = path.firstIndex(of: "}") else { return [path] }
        let bounds = path[path.index(after: open)..<close].split(separator: "-").compactMap { Int($0) }
        let length = bounds.count == 2 ? max(5, String(bounds[1]).count) : 5
        return (bounds[0]...bounds[1]).map { number in
            let digits = String(number)
            let padded = String(repeating: "0", count: max(0, length - digits.count)) + digits
            return path.replacing("{\(bounds[0])-\(bounds[1])}", with: padded)
        }
    }

    /// `7k`, `80M`, `4G`, in bytes by thousands; `-` where the Hub gives none.
    private static func size(_ text: String) -> Int64? {
        guard text != "-" else { return nil }
        let scales: [Character: Int64] = ["k": 1000, "M": 1_000_000, "G": 1_000_000_000]
        guard let last = text.last, let scale = scales[last] else { return Int64(text) }
        return Int64(text.dropLast()).map { $0 * scale }
    }
}
