/// A JSON document as it was sent, without any expectation of its shape.
///
/// Inference servers disagree about the type of nearly every field, so the parsers ask for what they can use and leave
/// the rest. `JSONDecoder` is not used for this: one unexpected type would cost the whole list, and which of two
/// duplicate keys counts would be left to its implementation.
enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Also integers that do not fit.
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The member of an object; nil where it is absent, or this is not an object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// The value at the end of a path of keys.
    subscript(path path: [String]) -> JSONValue? {
        var value = self
        for key in path {
            guard let next = value[key] else { return nil }
            value = next
        }
        return value
    }

    var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var bool: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    var isObject: Bool {
        guard case .object = self else { return false }
        return true
    }

    /// A positive whole number up to `limit`, given as a number or, as some servers do, as a string.
    func count(upTo limit: Int64) -> Int64? {
        let value: Int64?
        switch self {
        case .integer(let integer): value = integer
        case .real(let real): value = Int64(exactly: real)
        case .string(let text): value = Int64(text)
        case .null, .bool, .array, .object: value = nil
        }
        guard let value, value > 0, value <= limit else { return nil }
        return value
    }
}

/// The members of a JSON object in their order. Of a key that occurs twice the last counts, as in ECMAScript and Python.
struct JSONObject: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var key: String
        var value: JSONValue
    }

    var members: [Member]

    subscript(key: String) -> JSONValue? {
        members.last { $0.key == key }?.value
    }
}
