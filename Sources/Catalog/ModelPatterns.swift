/// Which models a key is for: globs over ids, where `*` stands for any text and `?` for any one byte, with ASCII letters
/// in any case.
public struct ModelPatterns: Sendable, Hashable {
    private let patterns: [[UInt8]]

    /// Sorted and each once: two keys with the same patterns see the same list.
    public init(_ patterns: [String]) {
        self.patterns = Set(patterns.map { Array(ASCIIFolding.lowercased($0).utf8) })
            .sorted { $0.lexicographicallyPrecedes($1) }
    }

    public func match(_ id: ModelID) -> Bool {
        var text = id.value
        return text.withUTF8 { bytes in patterns.contains { Self.matches($0, bytes) } }
    }

    /// Goes back to the last `*` only, so the time is at most the product of both lengths, whatever the pattern.
    private static func matches(_ pattern: [UInt8], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 0
        var index = 0
        var star: (pattern: Int, text: Int)?
        while index < text.count {
            let wanted = position < pattern.count ? pattern[position] : nil
            if wanted == UInt8(ascii: "*") {
                star = (position, index)
                position += 1
            } else if wanted == UInt8(ascii: "?") || wanted == ASCIIFolding.lowercased(text[index]) {
                position += 1
                index += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                position = last.pattern + 1
                index = last.text + 1
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
