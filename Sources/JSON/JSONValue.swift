/// A JSON document as it was sent, without any expectation of its shape.
///
/// Servers disagree about the type of nearly every field, and the two ends of a connection may be of different ages. So a
/// reader asks for what it can use and leaves the rest: what is missing, or of another type, reads as nil.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Also integers beyond 64 bits.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The member of an object; `.null` if it is absent, or this is no object.
    package subscript(key: String) -> JSONValue { object?[key] ?? .null }

    /// The same; nil if it is absent. Tells a member that is null.
    package func member(_ key: String) -> JSONValue? { object?[key] }

    package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

    /// Of an integer as well.
    package var number: Double? { if case .number(let number) = self { number } else { integer.map(Double.init) } }
    /// Of an array; none if this is no array.
    package var elements: [JSONValue] { array ?? [] }
    package var isObject: Bool { if case .object = self { true } else { false } }

    /// A positive whole number up to `limit`, given as a number or, as some servers do, as a string.
    package func count(upTo limit: Int64) -> Int64? {
        let value: Int64?
        switch self {
        case .integer(let integer): value = integer
        case .number(let number): value = Int64(exactly: number)
        case .string(let text): value = Int64(text)
        case .null, .bool, .array, .object: value = nil
        }
        guard let value, value > 0, value <= limit else { return nil }
        return value
    }
}

/// The members of a JSON object in their order. Of a key that occurs twice the last counts.
package struct JSONObject: Sendable, Hashable, Sequence, ExpressibleByDictionaryLiteral {
    package var members: [(key: String, value: JSONValue)] = []

    package init() {}

    package init(_ dictionary: [String: JSONValue]) { members = dictionary.map { ($0.key, $0.value) } }

    package init(dictionaryLiteral elements: (String, JSONValue)...) { members = elements.map { ($0.0, $0.1) } }

    package var dictionary: [String: JSONValue] { Dictionary(members) { $1 } }

    package var isEmpty: Bool { members.isEmpty }

    package func makeIterator() -> IndexingIterator<[(key: String, value: JSONValue)]> { members.makeIterator() }

    /// Setting nil takes the member out.
    package subscript(key: String) -> JSONValue? {
        get { members.last { $0.key == key }?.value }
        set {
            members.removeAll { $0.key == key }
            if let newValue { members.append((key, newValue)) }
        }
    }

    @discardableResult
    package mutating func removeValue(forKey key: String) -> JSONValue? {
        defer { self[key] = nil }
        return self[key]
    }

    /// Each key once, in the order of its bytes.
    package var sorted: [(key: String, value: JSONValue)] {
        dictionary.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// The order of the members says nothing.
    package static func == (one: JSONObject, other: JSONObject) -> Bool { one.dictionary == other.dictionary }

    package func hash(into hasher: inout Hasher) { hasher.combine(dictionary) }
}
