/// JSON written by hand where the bytes must be the same everywhere: the merged list.
enum JSONText {
    /// Appends `text` in quotes. Escapes what RFC 8259, section 7 says must be escaped (`"`, `\`, U+0000–U+001F) and
    /// nothing else: slashes and characters beyond ASCII stay as they are.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(quote)
        for byte in text.utf8 {
            switch byte {
            case quote, backslash: bytes.append(contentsOf: [backslash, byte])
            case 0x08: bytes.append(contentsOf: [backslash, UInt8(ascii: "b")])
            case 0x09: bytes.append(contentsOf: [backslash, UInt8(ascii: "t")])
            case 0x0A: bytes.append(contentsOf: [backslash, UInt8(ascii: "n")])
            case 0x0C: bytes.append(contentsOf: [backslash, UInt8(ascii: "f")])
            case 0x0D: bytes.append(contentsOf: [backslash, UInt8(ascii: "r")])
            case 0x00..<0x20:
                append(raw: "\\u00", to: &bytes)
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(quote)
    }

    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        append(raw: String(number), to: &bytes)
    }

    /// Appends `text` as it is.
    static func append(raw text: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: text.utf8)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let hexDigits = Array("0123456789abcdef".utf8)
}
