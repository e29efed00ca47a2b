import Glibc

/// The classes of bytes that RFC 9110, section 5, names.
extension UInt8 {
    /// A character of a token: a letter, a digit, or one of ``!#$%&'*+-.^_`|~``.
    var isTokenCharacter: Bool {
        // One bit for each of the 128 ASCII characters.
        let below64: UInt64 = 0x03FF_6CFA_0000_0000
        let above63: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        return if self < 64 {
            (below64 &>> UInt64(self)) & 1 != 0
        } else {
            self < 128 && (above63 &>> UInt64(self &- 64)) & 1 != 0
        }
    }

    /// A character of a field's value: visible, a space, a tab, or a byte that is not ASCII.
    var isFieldCharacter: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }

    var isBlank: Bool { self == .space || self == .tab }

    /// The same letter in lower case if it is a capital letter of ASCII.
    var lowercasedASCII: UInt8 { (.init(ascii: "A")...(.init(ascii: "Z"))).contains(self) ? self | 0x20 : self }

    var hexDigit: Int? {
        switch self {
        case .init(ascii: "0")...(.init(ascii: "9")): Int(self &- .init(ascii: "0"))
        case .init(ascii: "a")...(.init(ascii: "f")): Int(self &- .init(ascii: "a") &+ 10)
        case .init(ascii: "A")...(.init(ascii: "F")): Int(self &- .init(ascii: "A") &+ 10)
        default: nil
        }
    }

    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")
}

extension String {
    /// Lends the text's bytes without a copy, unless the text was bridged from elsewhere.
    func withBytes<T>(_ body: (UnsafeBufferPointer<UInt8>) -> T) -> T {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        var native = self
        return native.withUTF8(body)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether these are the bytes of `other`, which is in lower case, if letter case is ignored for ASCII.
    func isASCIIEqual(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].lowercasedASCII != other[index] { return false }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of `text`.
    func isExactly(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, let start = baseAddress else { return false }
        return memcmp(start, text.utf8Start, count) == 0
    }

    /// The first CR or LF in `range`.
    func firstLineBreak(in range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word.has(.lineFeed) || word.has(.carriageReturn) { break }
            index += 8
        }
        while index < range.upperBound {
            if self[index] == .lineFeed || self[index] == .carriageReturn { return index }
            index += 1
        }
        return nil
    }

    /// Whether `range` holds nothing but characters of a field's value.
    func isFieldText(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            if index + 8 <= range.upperBound,
                !loadUnaligned(fromByteOffset: index, as: UInt64.self).hasControlCharacter
            {
                index += 8
            } else {
                guard self[index].isFieldCharacter else { return false }
                index += 1
            }
        }
        return true
    }

    /// `range` without the spaces and tabs at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// Whether `range` is `text`, in any case. `text` is in lower case.
    func holds(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        let start = text.utf8Start
        for offset in 0..<range.count where self[range.lowerBound + offset].lowercasedASCII != start[offset] {
            return false
        }
        return true
    }

    /// Calls `body` with each part of a list in which commas separate the parts, without the blanks around it.
    func forEachListed(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        for index in range where self[index] == UInt8(ascii: ",") {
            body(trimmed(start..<index))
            start = index + 1
        }
        body(trimmed(start..<range.upperBound))
    }

    /// The number that `range` holds: one or more digits and nothing else, at most `Int.max`.
    func decimal(in range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var number = 0
        for index in range {
            let digit = Int(self[index]) - Int(UInt8(ascii: "0"))
            guard (0...9).contains(digit) else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeNow) = tens.addingReportingOverflow(digit)
            guard !isTooLarge, !isTooLargeNow else { return nil }
            number = sum
        }
        return number
    }
}

/// Eight bytes looked at together. A byte that matches may set the bit of the byte above it as well, so that the answer
/// is only whether there is a match, not where.
extension UInt64 {
    private static let lowBits: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether a byte is `byte`.
    fileprivate func has(_ byte: UInt8) -> Bool {
        let difference = self ^ (Self.lowBits &* UInt64(byte))
        return (difference &- Self.lowBits) & ~difference & Self.highBits != 0
    }

    /// Whether a byte is less than 0x20, or 0x7F.
    fileprivate var hasControlCharacter: Bool {
        (self &- Self.lowBits &* 0x20) & ~self & Self.highBits != 0 || has(0x7F)
    }
}
