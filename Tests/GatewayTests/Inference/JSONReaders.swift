/// Small models of how servers read a JSON body, after the documents and sources of their parsers. They are as lenient
/// as the real ones in what matters here: which text is taken as `model`.
struct JSONReader: Sendable, CustomStringConvertible {
    enum Result: Hashable {
        case fails
        case runs([UInt8]?)
    }
    enum Keys { case exact, folded, foldedUpToNUL }

    let description: String
    var keys = Keys.exact
    /// Of two keys that are taken for `model`.
    var takesLast = true
    /// Bytes that are not UTF-8 become U+FFFD or are dropped; otherwise the body is refused.
    var repairsUTF8 = false
    var dropsInvalidBytes = false
    var takesControlCharacters = false
    var readsOneValueOnly = false
    var takesMark = false
    /// Decodes by the charset of `Content-Type`.
    var decodesUTF7 = false
    /// A null leaves the value as it was.
    var skipsNull = false

    static let all = [
        // pkg.go.dev/encoding/json; Ollama and LocalAI.
        JSONReader(description: "Go", keys: .folded, repairsUTF8: true, skipsNull: true),
        // A `json.Decoder` reads the first value of the body.
        JSONReader(
            description: "Go's Decoder", keys: .folded, repairsUTF8: true, readsOneValueOnly: true, skipsNull: true),
        // docs.python.org/3/library/json: vLLM, SGLang, most others.
        JSONReader(description: "Python", takesMark: true),
        // body-parser: iconv-lite decodes every "utf-*", JSON.parse takes the last.
        JSONReader(description: "Express", repairsUTF8: true, takesMark: true, decodesUTF7: true),
        // cJSON_GetObjectItem: the first, in any case, C strings.
        JSONReader(
            description: "cJSON", keys: .foldedUpToNUL, takesLast: false, repairsUTF8: true,
            takesControlCharacters: true,
            readsOneValueOnly: true, takesMark: true),
        // PHP's JSON_INVALID_UTF8_IGNORE.
        JSONReader(description: "PHP", repairsUTF8: true, dropsInvalidBytes: true),
    ]

    func read(_ sent: [UInt8], charset: String = "utf-8") -> Result {
        var text = sent[...]
        if decodesUTF7, charset.lowercased() == "utf-7" { text = Self.fromUTF7(sent)[...] }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) {
            guard takesMark else { return .fails }
            text = text.dropFirst(3)
        }
        if !repairsUTF8, String(validating: text, as: UTF8.self) == nil { return .fails }
        var parser = JSONParser(text: Array(text), takesControlCharacters: takesControlCharacters)
        guard let members = parser.object(), readsOneValueOnly || parser.isAtEnd else { return .fails }
        var found: JSONParser.Value?
        for (key, value) in members where isModel(key) {
            if skipsNull, value == .null { continue }
            if skipsNull, value == .other { return .fails }
            if takesLast || found == nil { found = value }
        }
        switch found {
        case nil: return .runs(nil)
        case .text(let model): return .runs(keys == .foldedUpToNUL ? Array(model.prefix { $0 != 0 }) : model)
        case .null, .other: return .fails
        }
    }

    private func isModel(_ key: [UInt8]) -> Bool {
        let name = Array("model".utf8)
        let key = dropsInvalidBytes && String(validating: key, as: UTF8.self) == nil ? key.filter { $0 < 0x80 } : key
        return switch keys {
        case .exact: key == name
        case .folded: String(decoding: key, as: UTF8.self).lowercased() == "model"
        case .foldedUpToNUL: String(decoding: key.prefix { $0 != 0 }, as: UTF8.self).lowercased() == "model"
        }
    }

    /// `+…-` is Base64 of UTF-16 (RFC 2152). Only characters of ASCII are of interest.
    private static func fromUTF7(_ text: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var decoded: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "+") else {
                decoded.append(byte)
                continue
            }
            var (bits, count): (UInt32, Int) = (0, 0)
            while let digit = rest.first, let value = digits.firstIndex(of: digit) {
                rest.removeFirst()
                (bits, count) = (bits << 6 & 0xFF_FFFF | UInt32(value), count + 6)
                if count >= 16 {
                    count -= 16
                    decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                }
            }
            if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        }
        return decoded
    }
}

/// Reads one JSON object by the letter of RFC 8259, but for what `takesControlCharacters` allows.
private struct JSONParser {
    enum Value: Equatable {
        case text([UInt8])
        case null, other
    }

    let text: [UInt8]
    let takesControlCharacters: Bool
    var position = 0

    init(text: [UInt8], takesControlCharacters: Bool) {
        self.text = text
        self.takesControlCharacters = takesControlCharacters
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == text.count
        }
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func object() -> [(key: [UInt8], value: Value)]? {
        skipSpace()
        guard take("{") else { return nil }
        var members: [(key: [UInt8], value: Value)] = []
        skipSpace()
        if take("}") { return members }
        while true {
            skipSpace()
            guard let key = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value() else { return nil }
            members.append((key, value))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { return nil }
        }
    }

    private mutating func value() -> Value? {
        skipSpace()
        switch next {
        case UInt8(ascii: "\""): return string().map { .text($0) }
        case UInt8(ascii: "{"): return object() == nil ? nil : .other
        case UInt8(ascii: "["): return array() ? .other : nil
        default:
            let start = position
            while let byte = next, !Array(" \t\r\n,:]}".utf8).contains(byte) { position += 1 }
            let word = String(decoding: text[start..<position], as: UTF8.self)
            if word == "null" { return .null }
            return ["true", "false"].contains(word) || Double(word) != nil ? .other : nil
        }
    }

    private mutating func array() -> Bool {
        guard take("[") else { return false }
        skipSpace()
        if take("]") { return true }
        while value() != nil {
            skipSpace()
            if take("]") { return true }
            guard take(",") else { return false }
        }
        return false
    }

    private mutating func string() -> [UInt8]? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == UInt8(ascii: "\"") { return bytes }
            guard byte >= 0x20 || takesControlCharacters else { return nil }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = next else { return nil }
            position += 1
            switch escape {
            case UInt8(ascii: "u"):
                let digits = text[position...].prefix(4)
                guard digits.count == 4, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
                    return nil
                }
                position += 4
                let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
                bytes += Array(String(Character(scalar)).utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
            case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                bytes.append(0x0A)
            default: return nil
            }
        }
        return nil
    }
}
