import JSON

/// A field of a JSON object: left out, null, or given.
enum Field<Value> {
    case missing
    case null
    case value(Value)

    /// nil if the field was left out or is null.
    var optional: Value? {
        if case .value(let value) = self { value } else { nil }
    }
}

/// Reads a JSON object strictly: a field that is not known, or of another type, is an error that names it.
struct FieldReader {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private let container: KeyedDecodingContainer<Key>

    /// Throws 400 `unknown_field` for a field that is not one of `fields`.
    init(_ decoder: any Decoder, fields: Set<String>) throws {
        container = try decoder.container(keyedBy: Key.self)
        let unknown = container.allKeys.map(\.stringValue).filter { !fields.contains($0) }
        if let first = unknown.min() {
            throw HTTPFailure.badRequest(
                "unknown_field",
                "There is no field \"\(first)\" here; there are \(fields.sorted().joined(separator: ", ")).",
                param: first)
        }
    }

    /// `kind` says what the value should have been, as in "a string".
    func field<Value: Decodable>(_ name: String, _ type: Value.Type, _ kind: String) throws -> Field<Value> {
        let key = Key(stringValue: name)
        guard container.contains(key) else { return .missing }
        if try container.decodeNil(forKey: key) { return .null }
        do {
            return .value(try container.decode(type, forKey: key))
        } catch {
            // Not only a DecodingError: a number that does not fit is another error of the parser's own.
            throw Self.wrongType(name, kind)
        }
    }

    /// A field that may be left out but not be null.
    func unlessNull<Value: Decodable>(_ name: String, _ type: Value.Type, _ kind: String) throws -> Value? {
        switch try field(name, type, kind) {
        case .missing: nil
        case .null: throw Self.wrongType(name, kind)
        case .value(let value): value
        }
    }

    /// Throws 400 `missing_field`.
    func required<Value: Decodable>(_ name: String, _ type: Value.Type, _ kind: String) throws -> Value {
        guard let value = try unlessNull(name, type, kind) else {
            throw HTTPFailure.badRequest(
                "missing_field", "The field \"\(name)\" is missing: it must be \(kind).", param: name)
        }
        return value
    }

    private static func wrongType(_ name: String, _ kind: String) -> HTTPFailure {
        .badRequest("invalid_type", "The field \"\(name)\" must be \(kind).", param: name)
    }

    /// Decodes a body. Foundation's decoder ignores a byte order mark before it (RFC 8259, section 8.1).
    ///
    /// Throws 400 `invalid_json` if it is not JSON and `invalid_body` if it is not an object.
    static func decode<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws -> Body {
        do {
            return try JSONCoding.decode(type, from: bytes)
        } catch DecodingError.typeMismatch, DecodingError.valueNotFound {
            throw HTTPFailure.badRequest("invalid_body", "The body must be a JSON object.")
        } catch is DecodingError {
            throw HTTPFailure.badRequest("invalid_json", "The body must be JSON in UTF-8.")
        }
    }
}

/// A body that says nothing: `{}`.
struct EmptyBody: Decodable {
    init(from decoder: any Decoder) throws { _ = try FieldReader(decoder, fields: []) }
}
