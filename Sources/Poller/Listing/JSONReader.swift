/// Why a body is not a JSON document.
enum JSONProblem: Error, Hashable {
    /// It ends before the document does.
    case truncated
    /// It breaks the grammar of RFC 8259, or is nested too deeply, at this byte.
    case malformed(at: Int)
}

/// Reads one JSON document by RFC 8259. A leading byte order mark is allowed, as the RFC lets a parser do.
struct JSONReader {
    /// Far more than any model list nests, and far less than the stack of a pool thread holds.
    static let maximumDepth = 96

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ body: [UInt8]) throws(JSONProblem) -> JSONValue {
        var reader = JSONReader(body)
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value(depth: 0)
        reader.skipWhitespace()
        guard reader.position == body.count else { throw .malformed(at: reader.position) }
        return value
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    /// The next byte that is not white space, not consumed.
    private mutating func peek() throws(JSONProblem) -> UInt8 {
        skipWhitespace()
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw .malformed(at: position) }
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        // A string that Swift cannot hold (half a surrogate pair) counts as not said, and does not cost the rest.
        case UInt8(ascii: "\""): return try string().map(JSONValue.string) ?? .null
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONProblem) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count else { throw .truncated }
            guard bytes[position] == text.utf8Start[index] else { throw .malformed(at: position) }
            position += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONValue {
        position += 1
        var members: [JSONObject.Member] = []
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(JSONObject(members: members))
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw .malformed(at: position) }
            let key = try string()
            guard try peek() == UInt8(ascii: ":") else { throw .malformed(at: position) }
            position += 1
            let value = try value(depth: depth + 1)
            if let key { members.append(.init(key: key, value: value)) }
            guard try goesOn(until: UInt8(ascii: "}")) else { return .object(JSONObject(members: members)) }
        }
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(depth: depth + 1))
            guard try goesOn(until: UInt8(ascii: "]")) else { return .array(elements) }
        }
    }

    /// Consumes a comma (true) or `end` (false).
    private mutating func goesOn(until end: UInt8) throws(JSONProblem) -> Bool {
        let byte = try peek()
        guard byte == UInt8(ascii: ",") || byte == end else { throw .malformed(at: position) }
        position += 1
        return byte != end
    }
}

extension JSONReader {
    private mutating func number() throws(JSONProblem) -> JSONValue {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let integerStart = position
        try digits()
        // RFC 8259: no leading zeros.
        if position > integerStart + 1, bytes[integerStart] == UInt8(ascii: "0") { throw .malformed(at: integerStart) }
        var isReal = false
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isReal = true
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isReal = true
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
        let text = text(from: start, to: position) ?? ""
        if !isReal, let integer = Int64(text) { return .integer(integer) }
        // An exponent beyond Double's range is infinite: no count, but no reason to refuse the document.
        return .real(Double(text) ?? .infinity)
    }

    private mutating func digits() throws(JSONProblem) {
        let start = position
        while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
        guard position > start else {
            if position < bytes.count { throw .malformed(at: position) }
            throw .truncated
        }
    }

    /// nil where the text holds half a surrogate pair.
    private mutating func string() throws(JSONProblem) -> String? {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard let text = text(from: start, to: position) else { throw .malformed(at: start) }
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw .malformed(at: position)
            default: position += 1
            }
        }
        throw .truncated
    }

    private func text(from start: Int, to end: Int) -> String? {
        String(validating: bytes[start..<end], as: UTF8.self)
    }

    /// The slow way, from the first escape on.
    private mutating func escapedString(from start: Int) throws(JSONProblem) -> String? {
        var units = Array(bytes[start..<position])
        var isWhole = true
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw .malformed(at: start) }
                return isWhole ? text : nil
            case UInt8(ascii: "\\"):
                if let scalar = try escape() { units.append(contentsOf: scalar.utf8) } else { isWhole = false }
            case 0..<0x20: throw .malformed(at: position - 1)
            default: units.append(byte)
            }
        }
        throw .truncated
    }

    /// What stands after a backslash; nil for half a surrogate pair.
    private mutating func escape() throws(JSONProblem) -> Unicode.Scalar? {
        guard position < bytes.count else { throw .truncated }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .malformed(at: position - 1)
        }
    }

    private mutating func unicodeEscape() throws(JSONProblem) -> Unicode.Scalar? {
        let high = try hexadecimal()
        guard (0xD800..<0xDC00).contains(high) else { return Unicode.Scalar(high) }
        guard position + 1 < bytes.count else { throw .truncated }
        guard bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u") else { return nil }
        let mark = position
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else {
            position = mark
            return nil
        }
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func hexadecimal() throws(JSONProblem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw .truncated }
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw .malformed(at: position)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
