#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds the plain fields of a `multipart/form-data` body (RFC 7578, RFC 2046) in one pass, without copying its files.
enum MultipartScanner {
    struct Malformed: Error {
        let reason: String
    }

    /// The longest head of a part, and the most parts: a form has a handful.
    static let maximumHeadBytes = 16 << 10
    static let maximumParts = 256

    /// The boundary that a `Content-Type: multipart/form-data` names; nil where it names none that is allowed.
    static func boundary(of contentType: String) -> String? {
        guard let value = parameter("boundary", of: contentType), (1...70).contains(value.utf8.count),
            value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }), value.utf8.last != 0x20
        else { return nil }
        return value
    }

    /// A parameter of a header's value, its quotes taken off.
    static func parameter(_ name: String, of value: String) -> String? {
        var rest = value.utf8.drop { $0 != UInt8(ascii: ";") }
        while rest.popFirst() != nil {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest[key.endIndex...]
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst()
            var text: [UInt8] = []
            if rest.first == 0x22 {
                rest = rest.dropFirst()
                while let byte = rest.popFirst(), byte != 0x22 {
                    if byte == 0x5C, let escaped = rest.popFirst() { text.append(escaped) } else { text.append(byte) }
                }
                rest = rest.drop { $0 != UInt8(ascii: ";") }
            } else {
                let plain = rest.prefix { $0 != UInt8(ascii: ";") }
                rest = rest[plain.endIndex...]
                text = Array(plain)
                while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
            }
            let wanted = String(Substring(key)).lowercased().filter { $0 != " " && $0 != "\t" }
            if wanted == name { return String(decoding: text, as: UTF8.self) }
        }
        return nil
    }

    /// The content's place of each part that is no file, by its name, in order.
    static func fields(
        of body: UnsafeRawBufferPointer, boundary: String
    ) throws(Malformed) -> [(name: String, content: Range<Int>)] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        var fields: [(name: String, content: Range<Int>)] = []
        // The first delimiter may stand at the very start, without a line break before it.
        var position: Int
        if body.starts(with: delimiter[2...]) {
            position = delimiter.count - 2
        } else if let first = find(delimiter, in: body, from: 0) {
            position = first + delimiter.count
        } else {
            throw Malformed(reason: "it does not hold its boundary")
        }
        for _ in 0..<maximumParts {
            if body[position...].starts(with: "--".utf8) { return fields }
            guard let start = endOfLine(body, from: position) else {
                throw Malformed(reason: "a boundary is not followed by a line break")
            }
            let (name, content) = try head(of: body, from: start)
            guard let end = find(delimiter, in: body, from: content - 2) else {
                throw Malformed(reason: "its last boundary is missing")
            }
            if let name { fields.append((name, min(content, end)..<end)) }
            position = end + delimiter.count
        }
        throw Malformed(reason: "it has more than \(maximumParts) parts")
    }

    /// Behind the padding and the line break that follow a boundary.
    private static func endOfLine(_ body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var position = start
        while position < body.count, body[position] == 0x20 || body[position] == 0x09 { position += 1 }
        return body[position...].starts(with: [0x0D, 0x0A]) ? position + 2 : nil
    }

    /// The name of a part that is no file, and where its content begins.
    private static func head(
        of body: UnsafeRawBufferPointer, from start: Int
    ) throws(Malformed) -> (name: String?, content: Int) {
        let window = UnsafeRawBufferPointer(rebasing: body[..<min(body.count, start + maximumHeadBytes)])
        // A part without a head begins with the empty line.
        if window[start...].starts(with: [0x0D, 0x0A]) { return (nil, start + 2) }
        guard let end = find([0x0D, 0x0A, 0x0D, 0x0A], in: window, from: start) else {
            throw Malformed(reason: "the head of a part does not end")
        }
        let prefix = "content-disposition:"
        for line in String(decoding: window[start..<end], as: UTF8.self).split(separator: "\r\n") {
            guard line.lowercased().hasPrefix(prefix) else { continue }
            let value = String(line.dropFirst(prefix.count))
            let isFile = parameter("filename", of: value) != nil || parameter("filename*", of: value) != nil
            return (isFile ? nil : parameter("name", of: value), end + 4)
        }
        return (nil, end + 4)
    }

    /// By the needle's first byte, a carriage return, which `memchr` finds and which is rare in most files.
    private static func find(_ needle: [UInt8], in body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = body.baseAddress else { return nil }
        var position = start
        while position + needle.count <= body.count {
            let last = body.count - needle.count
            guard let found = memchr(base + position, Int32(needle[0]), last - position + 1) else { return nil }
            let offset = UnsafeRawPointer(found) - base
            if memcmp(found, needle, needle.count) == 0 { return offset }
            position = offset + 1
        }
        return nil
    }
}
