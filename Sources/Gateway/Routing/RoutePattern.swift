/// The pattern of a route's path, such as `/v0/endpoints/{id}/poll`.
///
/// A segment is a literal, `{name}` for any one segment, or, at the end, `{name...}` for one or more segments with the
/// slashes between them. A placeholder never stands for an empty segment.
struct RoutePattern: Sendable {
    private enum Segment: Sendable {
        case literal(String)
        case one(String)
        case rest(String)
    }

    /// As it was written; also the route's name in metrics.
    let text: String
    private let segments: [Segment]

    init(_ text: String) {
        self.text = text
        segments = text.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .one(String(name))
        }
    }

    /// Whether the pattern has no placeholder: then it is the path itself.
    var isFixed: Bool {
        segments.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// The placeholders' values; nil if the pattern does not match.
    ///
    /// - Parameter path: decoded, with its leading slash
    func match(_ path: String) -> PathParameters? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        var parameters = PathParameters()
        var rest: Substring? = path.dropFirst()
        for segment in segments {
            guard let tail = rest else { return nil }
            if case .rest(let name) = segment {
                guard !tail.isEmpty else { return nil }
                parameters.append(name, tail)
                return parameters
            }
            let end = tail.utf8.firstIndex(of: UInt8(ascii: "/"))
            let part = end.map { tail[..<$0] } ?? tail
            rest = end.map { tail[tail.utf8.index(after: $0)...] }
            switch segment {
            case .literal(let literal): guard part.utf8.elementsEqual(literal.utf8) else { return nil }
            case .one(let name):
                guard !part.isEmpty else { return nil }
                parameters.append(name, part)
            case .rest: return nil
            }
        }
        return rest == nil ? parameters : nil
    }
}

/// What stood in a path for the placeholders of its pattern, decoded.
struct PathParameters: Sendable, Hashable {
    private struct Parameter: Hashable {
        let name: String
        let value: String
    }

    private var all: [Parameter] = []

    /// "" for a name that the route's pattern does not have.
    subscript(name: String) -> String { all.first { $0.name == name }?.value ?? "" }

    fileprivate mutating func append(_ name: String, _ value: Substring) {
        all.append(Parameter(name: name, value: String(value)))
    }
}
