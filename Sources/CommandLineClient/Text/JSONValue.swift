import JSON

/// How the command line reads the gateway's answers: what is missing, empty, or of another type reads as nil, so that a
/// client and a gateway of different ages understand each other.
extension JSONValue {
    /// nil if the bytes are not JSON.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONReader.read(bytes) else { return nil }
        self = value
    }

    /// The records of a list. Throws if there is no such list, or something else is in it: then it is no gateway that
    /// answered.
    func records(_ key: String) throws -> [JSONValue] {
        guard let records = self[key].array, records.allSatisfy(\.isObject) else {
            throw CommandFailure(.failure, "the server's answer is not the list of a gateway; is --url right?")
        }
        return records
    }

    /// As it stands in a table: nil for null, an object, an array, or an empty text.
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
