/// One JSON string (RFC 8259, section 7), in and out.
package enum JSONString {
    /// What `content`, which stands between quotes, means. nil if it is not a valid string: a bad escape, half a surrogate
    /// pair, a control character, or bytes that are not UTF-8.
    package static func decode(_ content: UnsafeRawBufferPointer) -> String? {
        do throws(JSONProblem) {
            return try read(content)
        } catch {
            return nil
        }
    }

    /// The same for a reader, which tells half a surrogate pair (nil) from what is not JSON (throws).
    static func read(_ content: UnsafeRawBufferPointer) throws(JSONProblem) -> String? {
        // Most strings mean what stands there.
        var isASCII = true
        let isPlain = content.allSatisfy { byte in
            if byte >= 0x80 { isASCII = false }
            return byte >= 0x20 && byte != 0x22 && byte != 0x5C
        }
        guard isPlain else { return try unescape(content) }
        // ASCII needs no validation, which costs more than all else here.
        if isASCII { return String(decoding: content, as: UTF8.self) }
        guard let text = String(validating: content, as: UTF8.self) else { throw JSONProblem(.malformed, at: 0) }
        return text
    }

    private static func unescape(_ content: UnsafeRawBufferPointer) throws(JSONProblem) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count)
        var isWhole = true
        var rest = content[...]
        while let byte = rest.popFirst() {
            let place = rest.startIndex - 1
            guard byte >= 0x20, byte != 0x22 else { throw JSONProblem(.malformed, at: place) }
            guard byte == 0x5C else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case let escape? where escape == 0x22 || escape == 0x5C || escape == UInt8(ascii: "/"): bytes.append(escape)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                guard let unit = unit(&rest) else { throw JSONProblem(.malformed, at: place) }
                if let scalar = scalar(from: unit, &rest) {
                    bytes.append(contentsOf: scalar.utf8)
                } else {
                    isWhole = false
                }
            default: throw JSONProblem(.malformed, at: place)
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw JSONProblem(.malformed, at: 0) }
        return isWhole ? text : nil
    }

    /// The scalar that begins with a UTF-16 unit; takes a second escape if it completes a surrogate pair. nil for half a
    /// pair.
    private static func scalar(from unit: UInt32, _ rest: inout Slice<UnsafeRawBufferPointer>) -> Unicode.Scalar? {
        guard (0xD800...0xDBFF).contains(unit) else { return Unicode.Scalar(unit) }
        var ahead = rest
        guard ahead.popFirst() == 0x5C, ahead.popFirst() == UInt8(ascii: "u"), let second = self.unit(&ahead),
            (0xDC00...0xDFFF).contains(second)
        else { return nil }
        rest = ahead
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
    }

    /// Four hexadecimal digits.
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
}

extension JSONString {
    /// `text` in quotes.
    package static func encode(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 2)
        append(text, to: &bytes)
        return bytes
    }

    /// Appends `text` in quotes. Escapes what must be escaped (`"`, `\`, U+0000–U+001F) and nothing else: slashes and
    /// characters beyond ASCII stay as they are. What stands between two escapes is copied in one piece.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(0x22)
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                escape(byte, into: &bytes)
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(0x22)
    }

    /// The same for people's eyes: escapes the scalars beyond ASCII of which `isHidden` is true as well.
    static func append(_ text: String, to bytes: inout [UInt8], hiding isHidden: (Unicode.Scalar) -> Bool) {
        guard text.utf8.contains(where: { $0 >= 0x7F }) else { return append(text, to: &bytes) }
        bytes.append(0x22)
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" {
                escape(UInt8(scalar.value), into: &bytes)
            } else if isHidden(scalar) {
                for unit in scalar.utf16 { escape(unit: unit, into: &bytes) }
            } else {
                bytes.append(contentsOf: scalar.utf8)
            }
        }
        bytes.append(0x22)
    }

    private static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        switch byte {
        case 0x22, 0x5C: bytes += [0x5C, byte]
        case 0x08: bytes += #"\b"#.utf8
        case 0x09: bytes += #"\t"#.utf8
        case 0x0A: bytes += #"\n"#.utf8
        case 0x0C: bytes += #"\f"#.utf8
        case 0x0D: bytes += #"\r"#.utf8
        default: escape(unit: UInt16(byte), into: &bytes)
        }
    }

    private static func escape(unit: UInt16, into bytes: inout [UInt8]) {
        bytes += #"\u"#.utf8
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(unit >> shift & 15)
            bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
        }
    }
}
