#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Walks over the keys of a JSON object, or the elements of an array, top level only, in one pass and without copying: the
/// places of the values, as byte offsets into the text.
///
/// Strict at the top level. What is nested is passed over: its strings and brackets have to match and nothing but the
/// characters of JSON may stand between them; whether its numbers and words are well-formed is the endpoint's business.
/// No text that a JSON parser takes is refused, up to `maximumDepth`.
package struct JSONKeyScanner: ~Copyable {
    package struct Member {
        /// Of the key, without its quotes and as it stands there, escapes and all.
        package var key: Range<Int>
        /// Of the value, quotes and brackets included.
        package var value: Range<Int>
    }

    /// The text is not JSON, or not what is walked over.
    package struct Malformed: Error, Equatable {
        /// Where it was noticed, in bytes.
        package var offset: Int
    }

    /// As deep as Foundation's decoder goes.
    package static let maximumDepth = 512

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var isStarted = false
    private var isFinished = false
    /// Of what is nested: the brackets that are open.
    private var open: [UInt8] = []

    /// `bytes` is lent for the scanner's life.
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next member; nil at the end of the text, once it is known that nothing but space follows the object.
    package mutating func next() throws(Malformed) -> Member? {
        if isFinished { return nil }
        if try !advance(from: "{", to: "}") { return nil }
        let key = try string()
        skipSpace()
        try expect(UInt8(ascii: ":"))
        skipSpace()
        let start = position
        try skipValue()
        return Member(key: key, value: start..<position)
    }

    /// The place of the next element, where the text is an array and nothing but this is called; nil at its end.
    package mutating func nextElement() throws(Malformed) -> Range<Int>? {
        if isFinished { return nil }
        if try !advance(from: "[", to: "]") { return nil }
        let start = position
        try skipValue()
        return start..<position
    }

    /// Past the comma or the opening bracket; false at the end.
    private mutating func advance(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar
    ) throws(Malformed) -> Bool {
        skipSpace()
        if !isStarted {
            try expect(UInt8(ascii: opening))
            isStarted = true
            skipSpace()
            if peek() != UInt8(ascii: closing) { return true }
        } else if peek() == UInt8(ascii: ",") {
            position += 1
            skipSpace()
            return true
        }
        try expect(UInt8(ascii: closing))
        skipSpace()
        guard position == bytes.count else { throw Malformed(offset: position) }
        isFinished = true
        return false
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func expect(_ byte: UInt8) throws(Malformed) {
        guard peek() == byte else { throw Malformed(offset: position) }
        position += 1
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Past a string; its content's place.
    private mutating func string() throws(Malformed) -> Range<Int> {
        try expect(UInt8(ascii: "\""))
        let start = position
        try skipString()
        return start..<position - 1
    }

    /// From behind the opening quote to behind the closing one, at the speed of `memchr`: a quote ends the string where
    /// an even number of backslashes stands before it.
    private mutating func skipString() throws(Malformed) {
        let start = position
        while position < bytes.count {
            guard let found = memchr(bytes.baseAddress! + position, 0x22, bytes.count - position) else { break }
            let quote = UnsafeRawPointer(found) - bytes.baseAddress!
            var backslashes = 0
            while quote - backslashes > start, bytes[quote - backslashes - 1] == 0x5C { backslashes += 1 }
            position = quote + 1
            if backslashes.isMultiple(of: 2) { return }
        }
        throw Malformed(offset: bytes.count)
    }

    private mutating func skipValue() throws(Malformed) {
        switch peek() {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        default: try skipScalar()
        }
    }

    /// A number or a word at the top level.
    private mutating func skipScalar() throws(Malformed) {
        let start = position
        while let byte = peek(), Self.isScalar(byte) { position += 1 }
        let scalar = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        guard JSONScalar.isValid(scalar) else { throw Malformed(offset: start) }
    }

    private mutating func skipNested() throws(Malformed) {
        open.removeAll(keepingCapacity: true)
        repeat {
            guard let byte = peek() else { throw Malformed(offset: position) }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // The object itself counts.
                guard open.count + 1 < Self.maximumDepth else { throw Malformed(offset: position - 1) }
                open.append(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // In ASCII a closing bracket comes two after its opening one.
                guard open.popLast() == byte - 2 else { throw Malformed(offset: position - 1) }
            default:
                guard Self.isPlain(byte) else { throw Malformed(offset: position - 1) }
            }
        } while !open.isEmpty
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        isPlain(byte) && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ":") && !isSpace(byte)
    }

    /// What may stand outside of strings beside brackets: space, separators, and what numbers and words are made of.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x0A, 0x0D, 0x09, 0x30...0x3A, UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "E"), UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "f"),
            UInt8(ascii: "l"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "s"), UInt8(ascii: "t"),
            UInt8(ascii: "u"):
            true
        default: false
        }
    }
}

/// Numbers and words by RFC 8259.
enum JSONScalar {
    static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
        switch text.first {
        case UInt8(ascii: "t"): text.elementsEqual("true".utf8)
        case UInt8(ascii: "f"): text.elementsEqual("false".utf8)
        case UInt8(ascii: "n"): text.elementsEqual("null".utf8)
        default: isNumber(text)
        }
    }

    private static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        func digits(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Int {
            let end = rest.firstIndex { !(0x30...0x39).contains($0) } ?? rest.endIndex
            defer { rest = rest[end...] }
            return end - rest.startIndex
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let isZero = rest.first == UInt8(ascii: "0")
        let whole = digits(&rest)
        guard whole > 0, !isZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits(&rest) > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits(&rest) > 0 else { return false }
        }
        return rest.isEmpty
    }
}
