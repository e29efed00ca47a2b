import Glibc

/// Takes some members out of a JSON object that comes in parts, and keeps nothing else of it: a request may carry
/// pictures of many megabytes beside its model's name.
///
/// What is not kept is not checked either, except that strings and brackets end.
struct TopLevelMembers {
    /// Of one member. A longer one is dropped.
    static let memberLimit = 1 << 20

    /// The names of the members that are wanted, as they are written in JSON.
    struct Names: Sendable {
        fileprivate let quoted: Set<[UInt8]>

        init(_ names: [String]) { quoted = Set(names.map { Array("\"\($0)\"".utf8) }) }
    }

    private let wanted: Names
    private var kept: [UInt8] = [UInt8(ascii: "{")]
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isKey = true
    private var key: [UInt8] = []
    /// The value that is being read; nil where it is not wanted.
    private var value: [UInt8]?
    private var isEnded = false
    private var isMalformed = false

    init(_ names: Names) { wanted = names }

    /// An object of the members that were wanted; nil where the whole of it was no object.
    var object: [UInt8]? { isEnded && !isMalformed ? kept + [UInt8(ascii: "}")] : nil }

    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        // The next quotation mark, looked for once and not for each escape before it.
        var quote = -1
        while index < bytes.count {
            if isInString {
                readString(bytes, &index, &quote)
            } else {
                readToken(bytes[index])
                index += 1
            }
        }
    }

    private mutating func readString(_ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ quote: inout Int) {
        if isEscaped {
            keep(bytes[index...index])
            isEscaped = false
            index += 1
            return
        }
        if quote < index { quote = Self.find("\"", in: bytes, index..<bytes.count) ?? bytes.count }
        let end = Self.find("\\", in: bytes, index..<quote) ?? quote
        keep(bytes[index..<min(end + 1, bytes.count)])
        index = end + 1
        guard end < bytes.count else { return }
        if end < quote { isEscaped = true } else { isInString = false }
    }

    private static func find(_ byte: Unicode.Scalar, in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard let base = bytes.baseAddress, !range.isEmpty,
            let found = memchr(base + range.lowerBound, Int32(byte.value), range.count)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    private mutating func keep(_ part: Slice<UnsafeRawBufferPointer>) {
        if isKey, depth == 1 {
            if key.count + part.count <= 256 { key += part }
        } else if let count = value?.count {
            if count + part.count <= Self.memberLimit { value? += part } else { value = nil }
        }
    }

    private mutating func readToken(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): return
        case UInt8(ascii: "{") where depth == 0 && !isEnded:
            depth = 1
            return
        case UInt8(ascii: ":") where depth == 1 && isKey:
            isKey = false
            value = wanted.quoted.contains(key) ? [] : nil
            return
        case UInt8(ascii: ",") where depth == 1:
            endMember()
            return
        case UInt8(ascii: "}") where depth == 1:
            endMember()
            depth = 0
            isEnded = true
            return
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: "\""): isInString = true
        default: break
        }
        if depth < 1 { isMalformed = true }
        withUnsafeBytes(of: byte) { keep($0[0...0]) }
    }

    private mutating func endMember() {
        if let value {
            if kept.count > 1 { kept.append(UInt8(ascii: ",")) }
            kept += key + [UInt8(ascii: ":")] + value
        }
        key = []
        value = nil
        isKey = true
    }
}
