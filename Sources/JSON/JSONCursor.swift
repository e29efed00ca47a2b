#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A place in a text, and what the tokens of JSON (RFC 8259) are: what the scanner and the reader have in common.
package struct JSONCursor: ~Copyable {
    /// How deep brackets may be nested. Foundation's decoder goes as deep.
    package static let maximumDepth = 512

    let bytes: UnsafeRawBufferPointer
    var position = 0

    var isAtEnd: Bool { position == bytes.count }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The bytes at a place.
    func at(_ place: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[place]) }

    /// Something else than expected stands at `offset`, or nothing.
    func problem(at offset: Int) -> JSONProblem {
        JSONProblem(offset < bytes.count ? .malformed : .truncated, at: offset)
    }

    mutating func expect(_ byte: UInt8) throws(JSONProblem) {
        guard peek() == byte else { throw problem(at: position) }
        position += 1
    }

    mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    /// Past a string; its content's place. The content is not looked at.
    mutating func skipString() throws(JSONProblem) -> Range<Int> {
        try expect(UInt8(ascii: "\""))
        let start = position
        try skipToQuote()
        return start..<position - 1
    }

    /// From behind the opening quote to behind the closing one, at the speed of `memchr`: a quote ends the string if an
    /// even number of backslashes stands before it.
    mutating func skipToQuote() throws(JSONProblem) {
        let start = position
        while position < bytes.count {
            guard let found = memchr(bytes.baseAddress! + position, 0x22, bytes.count - position) else { break }
            let quote = UnsafeRawPointer(found) - bytes.baseAddress!
            var backslashes = 0
            while quote - backslashes > start, bytes[quote - backslashes - 1] == 0x5C { backslashes += 1 }
            position = quote + 1
            if backslashes.isMultiple(of: 2) { return }
        }
        throw JSONProblem(.truncated, at: bytes.count)
    }

    /// Past a number, `true`, `false`, or `null`; its place.
    mutating func skipScalar() throws(JSONProblem) -> Range<Int> {
        let start = position
        while let byte = peek(), Self.isScalar(byte) { position += 1 }
        guard JSONScalar.isValid(at(start..<position)) else {
            // What touches the end may have been cut off there.
            throw JSONProblem(isAtEnd ? .truncated : .malformed, at: start)
        }
        return start..<position
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        isPlain(byte) && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ":") && !isSpace(byte)
    }

    /// What may stand outside of strings beside brackets: space, separators, and what numbers and words are made of.
    static func isPlain(_ byte: UInt8) -> Bool {
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

    /// The value of a valid scalar.
    static func value(_ text: UnsafeRawBufferPointer) -> JSONValue {
        switch text.first {
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "n"): .null
        default: integer(text).map(JSONValue.integer) ?? number(text)
        }
    }

    /// nil for a number with a fraction or an exponent, and for one beyond 64 bits.
    private static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = text.first == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in isNegative ? text[1...] : text[...] {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 0x30)
            // Counted on the side of the sign: the least integer has no positive twin.
            let (sum, overflowsToo) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        return value
    }

    private static func number(_ text: UnsafeRawBufferPointer) -> JSONValue {
        .number(Double(String(decoding: text, as: UTF8.self)) ?? .infinity)
    }
}
