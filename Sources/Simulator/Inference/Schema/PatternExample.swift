/// A string in which a regular expression finds a match.
///
/// The string is made of the first of each choice. What only looks around (`\b`, `(?!…)`) is passed over when it is made,
/// so each string is tried with the expression itself.
struct PatternExample {
    private let pattern: String
    private let node: PatternNode

    init(_ pattern: String) throws(SchemaExample.Unsupported) {
        self.pattern = pattern
        var parser = PatternParser(pattern)
        node = try parser.whole()
    }

    /// - Parameters:
    ///   - lengths: in Unicode scalars
    ///   - first: how many repetitions more than the expression demands the first try has
    func text(lengths: ClosedRange<Int>, from first: Int) throws(SchemaExample.Unsupported) -> String {
        guard let expression = try? Regex(pattern) else {
            throw SchemaExample.Unsupported("the pattern \(pattern) is no regular expression")
        }
        var last: String.UnicodeScalarView?
        for more in first..<(first + 64 + min(lengths.lowerBound, 1000)) {
            var text = String.UnicodeScalarView()
            var left = more
            guard node.write(to: &text, more: &left) else { break }
            if text.count > lengths.upperBound || last.map({ $0.elementsEqual(text) }) == true { break }
            let candidate = String(text)
            if text.count >= lengths.lowerBound, candidate.firstMatch(of: expression) != nil { return candidate }
            last = text
        }
        throw SchemaExample.Unsupported("no string was found for the pattern \(pattern)")
    }
}

/// A part of a regular expression.
indirect enum PatternNode {
    case scalar(Unicode.Scalar)
    case sequence([PatternNode])
    case repeated(PatternNode, least: Int, most: Int)

    private static let longest = 10_000

    /// False if the text is too long.
    ///
    /// - Parameter more: how many repetitions there are that need not be; the first parts that may have them take them
    func write(to text: inout String.UnicodeScalarView, more: inout Int) -> Bool {
        switch self {
        case .scalar(let scalar): text.append(scalar)
        case .sequence(let nodes):
            for node in nodes where !node.write(to: &text, more: &more) { return false }
        case .repeated(let node, let least, let most):
            let taken = min(more, most - least)
            more -= taken
            for _ in 0..<(least + taken) where !node.write(to: &text, more: &more) { return false }
        }
        return text.count <= Self.longest
    }
}
