/// The path of a GGUF file without the number of its part (`-00001-of-00003.gguf`; older tools wrote a dot before it): the
/// parts of one file have it in common.
struct SplitName: Hashable, Sendable {
    /// Without the number and the ending.
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
