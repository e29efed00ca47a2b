#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Finds the plain fields of a `multipart/form-data` body (RFC 7578, RFC 2046) in one pass, without copying its files.
///
/// Only forms that every parser reads alike are taken. RFC 2046 allows text before the first boundary and behind the
/// last one, and padding after a boundary; parsers differ in all three, and no client sends them.
enum MultipartScanner {
    struct Malformed: Error {
        let reason: String
    }

    /// A part that is no file.
    struct Field {
        let name: String
        let content: Range<Int>
        /// The digits of the part's own `Content-Length`, if it has one.
        let length: Range<Int>?
        /// The part's charset is one in which only ASCII reads as it does in UTF-8.
        let isASCII: Bool
    }

    /// The longest head of a part, and the most parts: a form has a handful.
    static let maximumHeadBytes = 16 << 10
    static let maximumParts = 256
    /// The most white space behind the last boundary.
    static let maximumTailBytes = 64

    /// The parts that are no files, in order.
    static func fields(
        of body: UnsafeRawBufferPointer, boundary: String
    ) throws(Malformed) -> [Field] {
        let delimiter = Array("--\(boundary)".utf8)
        var fields: [Field] = []
        var position = body.starts(with: [0x0D, 0x0A]) ? 2 : 0
        guard body[position...].starts(with: delimiter) else {
            throw Malformed(reason: "it does not begin with its boundary")
        }
        position += delimiter.count
        for _ in 0...maximumParts {
            if body[position...].starts(with: "--".utf8) {
                try checkTail(body[(position + 2)...])
                return fields
            }
            guard body[position...].starts(with: [0x0D, 0x0A]) else {
                throw Malformed(reason: "a boundary is not followed by a line break")
            }
            let head = try MultipartHead(of: body, from: position + 2)
            let end = try endOfContent(of: body, from: head.end, delimiter: delimiter)
            try head.check(contentBytes: end - head.end)
            if !head.isFile {
                fields.append(
                    Field(name: head.name, content: head.end..<end, length: head.length, isASCII: head.isASCII))
            }
            position = end + 2 + delimiter.count
        }
        throw Malformed(reason: "it has more than \(maximumParts) parts")
    }

    private static func checkTail(_ tail: Slice<UnsafeRawBufferPointer>) throws(Malformed) {
        guard tail.count <= maximumTailBytes,
            tail.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A })
        else { throw Malformed(reason: "something follows its last boundary") }
    }

    /// Where the line break stands that ends the content which begins at `start`.
    ///
    /// The boundary at the start of a line always ends a content. Werkzeug also accepts a bare CR or LF before it, and
    /// parsers differ in whether the empty line of the head may be that line break. Both are refused.
    private static func endOfContent(
        of body: UnsafeRawBufferPointer, from start: Int, delimiter: [UInt8]
    ) throws(Malformed) -> Int {
        var position = start
        while let found = find(delimiter, in: body, from: position) {
            position = found + 1
            let before = body[found - 1]
            guard before == 0x0A || before == 0x0D else { continue }
            guard found >= start + 2, before == 0x0A, body[found - 2] == 0x0D else {
                throw Malformed(reason: "a boundary does not follow a line break (CR LF) of its own")
            }
            return found - 2
        }
        throw Malformed(reason: "its last boundary is missing")
    }

    /// By the needle's last byte, which `memchr` finds: binary content has it once in 256 bytes.
    private static func find(_ needle: [UInt8], in body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = body.baseAddress, let last = needle.last else { return nil }
        var position = start + needle.count - 1
        while position < body.count {
            guard let found = memchr(base + position, Int32(last), body.count - position) else { return nil }
            let end = UnsafeRawPointer(found) - base + 1
            if memcmp(base + (end - needle.count), needle, needle.count) == 0 { return end - needle.count }
            position = end
        }
        return nil
    }
}
