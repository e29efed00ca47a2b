import FoundationEssentials

/// A JSON value of whatever shape the gateway sent: what is missing or of another type reads as nil, so that a client and
/// a gateway of different ages understand each other.
enum JSONValue: Sendable, Hashable, Decodable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// nil where the bytes are not JSON.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSONValue].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    var string: String? { if case .string(let string) = self, !string.isEmpty { string } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }
    /// Empty where it is not an array.
    var array: [JSONValue] { if case .array(let array) = self { array } else { [] } }
    var object: [String: JSONValue] { if case .object(let object) = self { object } else { [:] } }

    /// The records of a list. Throws if there is no such list, or something else is in it: then it is no gateway that
    /// answered.
    func records(_ key: String) throws -> [JSONValue] {
        guard case .array(let records) = self[key],
            records.allSatisfy({ if case .object = $0 { true } else { false } })
        else { throw CommandFailure(.failure, "the server's answer is not the list of a gateway; is --url right?") }
        return records
    }

    /// `.null` where there is no such field.
    subscript(key: String) -> JSONValue { object[key] ?? .null }

    /// As it stands in a table: nil for null, an object, or an array.
    var text: String? {
        switch self {
        case .null, .array, .object: nil
        case .bool(let bool): bool ? "yes" : "no"
        case .integer(let integer): String(integer)
        case .number(let number): String(number)
        case .string(let string): string.isEmpty ? nil : string
        }
    }
}

/// JSON to send: only what the routes take.
enum JSONBody: Sendable, Hashable, Encodable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONBody])
    case object([String: JSONBody])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode(number)
        case .string(let string): try container.encode(string)
        case .array(let array): try container.encode(array)
        case .object(let object): try container.encode(object)
        }
    }

    /// The same bytes every time, since a repeat under the same `Idempotency-Key` must have the same body.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self))
        }
    }
}
