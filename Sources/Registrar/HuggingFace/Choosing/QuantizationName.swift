/// How the weights of a GGUF file are quantized, by the name of the file: `Q4_K_M`, `IQ4_XS`, `UD-Q4_K_XL`, `F16`.
struct QuantizationName: Sendable, Hashable {
    /// In upper case, with the `UD-` that marks a quantization of different depths for different layers; `FP16` as
    /// `F16`.
    let text: String

    /// Without `UD-`.
    var base: Substring { text.hasPrefix(Self.dynamicMark) ? text.dropFirst(Self.dynamicMark.count) : text[...] }

    private static let dynamicMark = "UD-"

    /// As a request writes it.
    init(request: String) {
        text = Self.unified(request.uppercased())
    }

    /// The last word of the file's name that is one, else the folder's name; nil where neither says any.
    ///
    /// - Parameter path: without `.gguf` and the number of a part.
    init?(path: String) {
        let name = Array(HubPath.name(of: path).uppercased().utf8)
        let folder = Array(HubPath.name(of: String(HubPath.folder(of: path).dropLast())).uppercased().utf8)
        if let found = Self.last(in: name) {
            text = Self.unified(String(decoding: name[found], as: UTF8.self))
        } else if let found = Self.last(in: folder), found.count == folder.count {
            text = Self.unified(String(decoding: folder[found], as: UTF8.self))
        } else {
            return nil
        }
    }

    /// The name without its quantization and the signs beside it, in lower case.
    static func stem(ofName name: String) -> String {
        let bytes = Array(name.uppercased().utf8)
        guard let range = last(in: bytes) else { return name.lowercased() }
        let before = bytes[..<range.lowerBound].reversed().drop(while: isBoundary).reversed()
        return String(decoding: Array(before) + bytes[range.upperBound...], as: UTF8.self).lowercased()
    }

    /// Which one is taken where the request does not say: the least. By the rules' order; 4-bit floats, which they do
    /// not name, come after the other 4-bit ones. Repacked files for ARM come after all others, because llama.cpp does
    /// not load them any more (b4282 and newer repack at load time). Files that do not say come last.
    var rank: Int {
        if Self.repackings.contains(where: base.hasSuffix) { return 25 }
        switch base {
        case "Q4_K_M": return 0
        case "Q4_K_S": return 1
        case "Q4_0": return 2
        case "Q5_K_M": return 6
        case "Q5_K_S": return 7
        default: break
        }
        if base.hasPrefix("Q4") { return 3 }
        if base.hasPrefix("IQ4") { return 4 }
        if base.hasPrefix("MXFP4") || base.hasPrefix("NVFP4") { return 5 }
        if base.hasPrefix("BF16") { return 20 }
        if base == "F16" { return 21 }
        if base == "F32" { return 22 }
        switch base.utf8.first(where: { $0 &- 0x30 < 10 }) {
        case UInt8(ascii: "5"): return 8
        case UInt8(ascii: "6"): return 9
        case UInt8(ascii: "7"), UInt8(ascii: "8"): return 10
        case UInt8(ascii: "3"): return 11
        case UInt8(ascii: "2"): return 12
        default: return 13
        }
    }

    /// The order of `rank` for people.
    static let order =
        "Q4_K_M, Q4_K_S, Q4_0, other Q4, IQ4, Q5_K_M, Q5_K_S, other Q5, Q6, Q8, Q3 and below, BF16, F16, F32"

    /// The rank of a file whose name says nothing.
    static let unknownRank = 30

    private static func unified(_ text: String) -> String {
        switch text {
        case "FP16": "F16"
        case "FP32": "F32"
        default: text
        }
    }

    /// Where the last quantization is, with its `UD-`.
    private static func last(in name: [UInt8]) -> Range<Int>? {
        for start in name.indices.reversed() where start == 0 || isBoundary(name[start - 1]) {
            guard let end = end(ofWordAt: start, in: name) else { continue }
            let mark = Array(dynamicMark.utf8)
            let isMarked =
                start >= mark.count && name[..<start].suffix(mark.count).elementsEqual(mark)
                && (start == mark.count || isBoundary(name[start - mark.count - 1]))
            return (isMarked ? start - mark.count : start)..<end
        }
        return nil
    }

    /// Where the quantization that begins here ends; nil where none does.
    private static func end(ofWordAt start: Int, in name: [UInt8]) -> Int? {
        for word in words {
            let end = start + word.utf8.count
            if name[start...].starts(with: word.utf8), end == name.count || isBoundary(name[end]) { return end }
        }
        var end = start
        if name[end] == UInt8(ascii: "I") || name[end] == UInt8(ascii: "T") { end += 1 }
        guard end + 1 < name.count, name[end] == UInt8(ascii: "Q"), (0x31...0x38).contains(name[end + 1]) else {
            return nil
        }
        end += 2
        let bare = end
        while let next = endOfSuffix(at: end, isFirst: end == bare, in: name) { end = next }
        guard end == name.count || isBoundary(name[end]) else { return nil }
        // "Q1" alone is as likely the quarter of a year.
        return end > bare || name[bare - 1] != UInt8(ascii: "1") ? end : nil
    }

    /// Those that do not begin with a Q, the longer ones first.
    private static let words = [
        "BF16", "FP16", "F16", "FP32", "F32", "MXFP4_MOE", "MXFP4", "MXFP6_MOE", "MXFP6", "MXFP8", "NVFP4", "I2_S",
        "I8_S",
        "TL1", "TL2",
    ]
    /// What may stand behind the number of bits, as in `Q4_K_M`. Other words behind it (`_v2`, `_MTP`, `_32k`) are not part
    /// of the quantization.
    private static let firstSuffixes = ["0", "1"]
    private static let suffixes = [
        "K", "S", "M", "L", "XS", "XL", "XXS", "XXL", "NL", "KS", "KSS", "KL", "KT", "R4", "R8",
    ]
    private static let repackings = ["_0_4_4", "_0_4_8", "_0_8_8"]

    private static func endOfSuffix(at start: Int, isFirst: Bool, in name: [UInt8]) -> Int? {
        guard start < name.count, name[start] == UInt8(ascii: "_") else { return nil }
        if isFirst, let packed = repackings.first(where: { name[start...].starts(with: $0.utf8) }) {
            let end = start + packed.utf8.count
            if end == name.count || isBoundary(name[end]) { return end }
        }
        let word = name[(start + 1)...].prefix { $0 &- 0x30 < 10 || $0 &- 0x41 < 26 }
        let text = String(decoding: word, as: UTF8.self)
        return suffixes.contains(text) || isFirst && firstSuffixes.contains(text) ? word.endIndex : nil
    }

    private static func isBoundary(_ byte: UInt8) -> Bool { "-._".utf8.contains(byte) }
}
