import JSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An image that is not what `ImageLineWriter` writes. `reason` holds nothing of the image's content.
struct BrokenImage: Error, Equatable {
    let reason: String
}

/// Reads the lines of one part of an image. It takes only what `ImageLineWriter` writes: it is the hot loop of a start, and
/// the digest of the image has told before that nobody else wrote it.
struct ImageLineReader: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var needsComma = false

    /// `bytes` is lent for the reader's life.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    /// The next element closes the array.
    var isClosing: Bool { peek == UInt8(ascii: "]") }

    mutating func begin() throws(BrokenImage) -> String {
        try open()
        return try text()
    }

    mutating func endLine() throws(BrokenImage) {
        try close()
        try expect(UInt8(ascii: "\n"))
        needsComma = false
    }

    mutating func open() throws(BrokenImage) {
        try separate()
        try expect(UInt8(ascii: "["))
        needsComma = false
    }

    mutating func close() throws(BrokenImage) {
        try expect(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Passes over `null` if it is the next element.
    mutating func takeNull() throws(BrokenImage) -> Bool {
        guard startsNext(UInt8(ascii: "n")) else { return false }
        try separate()
        try expect("null")
        return true
    }

    /// Passes over `true` if it is the next element.
    mutating func takeTrue() throws(BrokenImage) -> Bool {
        guard startsNext(UInt8(ascii: "t")) else { return false }
        try separate()
        try expect("true")
        return true
    }

    /// Passes over `[` if it is the next element.
    mutating func takeOpening() throws(BrokenImage) -> Bool {
        guard startsNext(UInt8(ascii: "[")) else { return false }
        try open()
        return true
    }

    mutating func integer() throws(BrokenImage) -> Int64 {
        try separate()
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative { place += 1 }
        let start = place
        var magnitude: Int64 = 0
        while place < bytes.count, case let digit = bytes[place] &- 0x30, digit < 10 {
            let (tens, hasOverflown) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) = tens.addingReportingOverflow(Int64(digit))
            if hasOverflown || isTooLarge { throw BrokenImage(reason: "a number is out of range") }
            magnitude = sum
            place += 1
        }
        if place == start { throw BrokenImage(reason: "no number where there must be one") }
        return isNegative ? -magnitude : magnitude
    }

    mutating func optionalInteger() throws(BrokenImage) -> Int64? { try takeNull() ? nil : try integer() }

    mutating func flag() throws(BrokenImage) -> Bool {
        try separate()
        if peek == UInt8(ascii: "t") {
            try expect("true")
            return true
        }
        try expect("false")
        return false
    }

    mutating func optionalFlag() throws(BrokenImage) -> Bool? { try takeNull() ? nil : try flag() }

    mutating func text() throws(BrokenImage) -> String {
        try separate()
        try expect(UInt8(ascii: "\""))
        guard let base = bytes.baseAddress, let found = memchr(base + place, 0x22, bytes.count - place) else {
            throw BrokenImage(reason: "a string without an end")
        }
        let end = UnsafeRawPointer(found) - base
        if memchr(base + place, 0x5C, end - place) != nil { return try escapedText() }
        defer { place = end + 1 }
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[place..<end]), as: UTF8.self)
    }

    mutating func optionalText() throws(BrokenImage) -> String? { try takeNull() ? nil : try text() }

    /// A record as JSON, which is the last element of its line.
    mutating func json<Value: Decodable>(_ type: Value.Type) throws(BrokenImage) -> Value? {
        if try takeNull() { return nil }
        try separate()
        guard let base = bytes.baseAddress, let found = memchr(base + place, 0x0A, bytes.count - place) else {
            throw BrokenImage(reason: "a line without an end")
        }
        let end = UnsafeRawPointer(found) - base - 1
        guard end > place else { throw BrokenImage(reason: "a line without its record") }
        do {
            defer { place = end }
            return try JSONCoding.decode(type, from: bytes[place..<end])
        } catch {
            throw BrokenImage(reason: "a \(Value.self) that cannot be decoded")
        }
    }

    // MARK: Bytes

    /// Whether `byte` is the first one of the next element.
    private func startsNext(_ byte: UInt8) -> Bool {
        let start = needsComma ? place + 1 : place
        return start < bytes.count && bytes[start] == byte
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func separate() throws(BrokenImage) {
        if needsComma { try expect(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func expect(_ byte: UInt8) throws(BrokenImage) {
        guard place < bytes.count, bytes[place] == byte else { throw BrokenImage(reason: "not as it was written") }
        place += 1
    }

    private mutating func expect(_ word: StaticString) throws(BrokenImage) {
        let count = word.utf8CodeUnitCount
        guard let base = bytes.baseAddress, bytes.count - place >= count,
            memcmp(base + place, word.utf8Start, count) == 0
        else { throw BrokenImage(reason: "not as it was written") }
        place += count
    }

    /// From behind the opening quote.
    private mutating func escapedText() throws(BrokenImage) -> String {
        var end = place
        while end < bytes.count, bytes[end] != 0x22 { end += bytes[end] == 0x5C ? 2 : 1 }
        guard end < bytes.count else { throw BrokenImage(reason: "a string without an end") }
        guard let text = JSONString.decode(UnsafeRawBufferPointer(rebasing: bytes[place..<end])) else {
            throw BrokenImage(reason: "an unknown escape")
        }
        place = end + 1
        return text
    }
}
