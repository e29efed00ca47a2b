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
            text = Self.unified(found)
        } else if let found = Self.last(in: folder), found.utf8.count == folder.count {
            text = Self.unified(found)
        } else {
            return nil
        }
    }

    /// Which one is taken where the request does not say: the least. By the rules' order; 4-bit floats, which they do
    /// not name, come after the other 4-bit ones, and files that do not say come last.
    var rank: Int {
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

    /// The rank of a file whose name says nothing.
    static let unknownRank = 30

    private static func unified(_ text: String) -> String {
        switch text {
        case "FP16": "F16"
        case "FP32": "F32"
        default: text
        }
    }

    private static func last(in name: [UInt8]) -> String? {
        for start in name.indices.reversed() where start == 0 || isBoundary(name[start - 1]) {
            guard let end = end(ofWordAt: start, in: name) else { continue }
            let mark = Array(dynamicMark.utf8)
            let isMarked =
                start >= mark.count && name[..<start].suffix(mark.count).elementsEqual(mark)
                && (start == mark.count || isBoundary(name[start - mark.count - 1]))
            return String(decoding: name[(isMarked ? start - mark.count : start)..<end], as: UTF8.self)
        }
        return nil
    }

    /// Where the quantization that begins here ends; nil where none does.
    private static func end(ofWordAt start: Int, in name: [UInt8]) -> Int? {
        for word in ["BF16", "FP16", "F16", "FP32", "F32", "MXFP4_MOE", "MXFP4", "NVFP4"] {
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
        while let next = endOfSuffix(at: end, in: name) { end = next }
        guard end == name.count || isBoundary(name[end]) else { return nil }
        // "Q1" alone is as likely the quarter of a year.
        return end > bare || name[bare - 1] != UInt8(ascii: "1") ? end : nil
    }

    /// `_K`, `_M`, `_XXS`, `_0`: an underscore and one to three letters or digits.
    private static func endOfSuffix(at start: Int, in name: [UInt8]) -> Int? {
        guard start < name.count, name[start] == UInt8(ascii: "_") else { return nil }
        let length = name[(start + 1)...].prefix { $0 &- 0x30 < 10 || $0 &- 0x41 < 26 }.count
        return (1...3).contains(length) ? start + 1 + length : nil
    }

    private static func isBoundary(_ byte: UInt8) -> Bool { "-._".utf8.contains(byte) }
}
