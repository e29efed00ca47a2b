import Conventions

/// One JSON string, in and out.
enum JSONString {
    /// What `content`, which stands between quotes, means. nil where it is not a valid string (RFC 8259, section 7):
    /// a bad escape, half a surrogate pair, a control character, or bytes that are not UTF-8.
    static func decode(_ content: UnsafeRawBufferPointer) -> String? {
        // Most strings mean what stands there.
        var isASCII = true
        let isPlain = content.allSatisfy { byte in
            if byte >= 0x80 { isASCII = false }
            return byte >= 0x20 && byte != 0x22 && byte != 0x5C
        }
        if isPlain {
            // ASCII needs no validation, which costs more than all else here.
            return isASCII ? String(decoding: content, as: UTF8.self) : String(validating: content, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count)
        var rest = content[...]
        while let byte = rest.popFirst() {
            guard byte >= 0x20, byte != 0x22 else { return nil }
            guard byte == 0x5C else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.popFirst() else { return nil }
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(&rest) else { return nil }
                bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
            default: return nil
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// What follows `\u`; two escapes where it is a surrogate pair.
    private static func scalar(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Unicode.Scalar? {
        guard let first = unit(&rest) else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
        guard rest.popFirst() == 0x5C, rest.popFirst() == UInt8(ascii: "u"), let second = unit(&rest),
            (0xDC00...0xDFFF).contains(second)
        else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt32? {
        var value: UInt32 = 0
        for _ in 0..<4 {
            switch rest.popFirst() {
            case let digit? where (0x30...0x39).contains(digit): value = value << 4 | UInt32(digit - 0x30)
            case let digit? where (0x41...0x46).contains(digit): value = value << 4 | UInt32(digit - 0x41 + 10)
            case let digit? where (0x61...0x66).contains(digit): value = value << 4 | UInt32(digit - 0x61 + 10)
            default: return nil
            }
        }
        return value
    }

    /// `text` in quotes, with what must be escaped escaped.
    static func encode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [0x22]
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0..<0x20: bytes += Array("\\u00".utf8) + [byte].hexadecimal.utf8
            default: bytes.append(byte)
            }
        }
        return bytes + [0x22]
    }
}
