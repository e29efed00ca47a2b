/// Reads regular expressions of ECMA-262, as JSON Schema has them (core, section 6.4).
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take() -> Unicode.Scalar? {
        defer { index += 1 }
        return next
    }

    private mutating func take(_ text: String) -> Bool {
        guard scalars[min(index, scalars.count)...].starts(with: text.unicodeScalars) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    private var refusal: SchemaExample.Unsupported {
        SchemaExample.Unsupported("the pattern \(String(String.UnicodeScalarView(scalars))) is not supported")
    }

    mutating func whole() throws(SchemaExample.Unsupported) -> PatternNode {
        let node = try alternatives()
        guard next == nil else { throw refusal }
        return node
    }

    /// The first of them.
    private mutating func alternatives() throws(SchemaExample.Unsupported) -> PatternNode {
        depth += 1
        guard depth < 100 else { throw refusal }
        let first = try sequence()
        while take("|") { _ = try sequence() }
        depth -= 1
        return first
    }

    private mutating func sequence() throws(SchemaExample.Unsupported) -> PatternNode {
        var nodes: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            guard let atom = try atom() else { continue }
            nodes.append(try repeated(atom))
        }
        return .sequence(nodes)
    }

    /// Nil for what has no text of its own.
    private mutating func atom() throws(SchemaExample.Unsupported) -> PatternNode? {
        guard let scalar = take() else { throw refusal }
        switch scalar {
        case "^", "$": return nil
        case ".": return .scalar("a")
        case "(": return try group()
        case "[": return .scalar(try characterClass())
        case "\\":
            if take("b") || take("B") { return nil }
            return .scalar(try escaped().example(isNegated: false) ?? "a")
        case "*", "+", "?": throw refusal
        default: return .scalar(scalar)
        }
    }

    private mutating func group() throws(SchemaExample.Unsupported) -> PatternNode? {
        let looksAround = ["?=", "?!", "?<=", "?<!"].contains { take($0) }
        if !looksAround, !take("?:"), take("?") {
            guard take("<") || take("P<") else { throw refusal }
            while let scalar = take(), scalar != ">" {}
        }
        let node = try alternatives()
        guard take(")") else { throw refusal }
        return looksAround ? nil : node
    }

    private mutating func repeated(_ atom: PatternNode) throws(SchemaExample.Unsupported) -> PatternNode {
        var node = atom
        while let scalar = next {
            switch scalar {
            case "*": node = .repeated(node, least: 0, most: .max)
            case "+": node = .repeated(node, least: 1, most: .max)
            case "?": node = .repeated(node, least: 0, most: 1)
            case "{":
                guard let (least, most) = bounds() else { return node }
                node = .repeated(node, least: least, most: most)
                index -= 1
            default: return node
            }
            index += 1
            // Lazy and possessive repetitions are the same to who makes a text.
            if !take("?") { _ = take("+") }
        }
        return node
    }

    /// `{2}`, `{2,}`, or `{2,5}`; of anything else the brace is one.
    private mutating func bounds() -> (least: Int, most: Int)? {
        guard let end = scalars[index...].firstIndex(of: "}") else { return nil }
        let text = String(String.UnicodeScalarView(scalars[(index + 1)..<end]))
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= 2, let least = parts.first.flatMap({ Int($0) }), least >= 0, least <= 10_000 else {
            return nil
        }
        let most = parts.count == 1 ? least : parts[1].isEmpty ? .max : Int(parts[1])
        guard let most, most >= least else { return nil }
        index = end + 1
        return (least, most)
    }

    private mutating func characterClass() throws(SchemaExample.Unsupported) -> Unicode.Scalar {
        let isNegated = take("^")
        var set = ScalarSet()
        while !take("]") {
            var part = try classPart()
            if next == "-", index + 1 < scalars.count, scalars[index + 1] != "]", let first = part.only {
                index += 1
                guard let last = try classPart().only, first <= last else { throw refusal }
                part = ScalarSet(ranges: [first.value...last.value])
            }
            set.ranges += part.ranges
        }
        guard let scalar = set.example(isNegated: isNegated) else { throw refusal }
        return scalar
    }

    private mutating func classPart() throws(SchemaExample.Unsupported) -> ScalarSet {
        guard let scalar = take() else { throw refusal }
        return scalar == "\\" ? try escaped() : ScalarSet(scalar)
    }

    /// What a backslash stands before.
    private mutating func escaped() throws(SchemaExample.Unsupported) -> ScalarSet {
        guard let scalar = take() else { throw refusal }
        switch scalar {
        case "d": return .digits
        case "D": return .digits.inverted
        case "w": return .word
        case "W": return .word.inverted
        case "s": return .space
        case "S": return .space.inverted
        case "n": return ScalarSet("\n")
        case "r": return ScalarSet("\r")
        case "t": return ScalarSet("\t")
        case "f": return ScalarSet("\u{c}")
        case "v": return ScalarSet("\u{b}")
        case "x", "u":
            let digits = scalars[index...].prefix(scalar == "x" ? 2 : 4)
            guard let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                let named = Unicode.Scalar(code)
            else { throw refusal }
            index += digits.count
            return ScalarSet(named)
        case "p":
            guard take("{"), let end = scalars[index...].firstIndex(of: "}") else { throw refusal }
            let name = String(String.UnicodeScalarView(scalars[index..<end]))
            index = end + 1
            return ScalarSet(name.hasPrefix("N") ? "1" : name.hasPrefix("P") ? "-" : name == "Lu" ? "A" : "a")
        case "a"..."z", "A"..."Z", "0"..."9": throw refusal
        default: return ScalarSet(scalar)
        }
    }
}

/// The scalars of a character class.
struct ScalarSet {
    var ranges: [ClosedRange<UInt32>] = []

    init(ranges: [ClosedRange<UInt32>] = []) { self.ranges = ranges }
    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    static let space = ScalarSet(ranges: [0x20...0x20, 0x9...0xd])

    /// The letters that read best, then all of ASCII that can be seen.
    private static let preferred = "aA1".unicodeScalars.map(\.value) + Array(0x20...0x7e)

    /// The only scalar in it.
    var only: Unicode.Scalar? {
        ranges.count == 1 && ranges[0].count == 1 ? Unicode.Scalar(ranges[0].lowerBound) : nil
    }

    /// Within ASCII.
    var inverted: ScalarSet {
        ScalarSet(ranges: (UInt32(0x20)...0x7e).filter { !contains($0) }.map { $0...$0 })
    }

    private func contains(_ value: UInt32) -> Bool { ranges.contains { $0.contains(value) } }

    func example(isNegated: Bool) -> Unicode.Scalar? {
        if let value = Self.preferred.first(where: { contains($0) != isNegated }) { return Unicode.Scalar(value) }
        return isNegated ? nil : ranges.first.flatMap { Unicode.Scalar($0.lowerBound) }
    }
}
