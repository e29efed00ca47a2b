import FoundationEssentials

/// Foundation's coders with one set of options, for messages that are too rare for a writer or a reader of their own.
package enum JSONCoding {
    /// Keys are sorted, so that equal values are equal bytes.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    /// The same as text, for a column of a database.
    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        try decode(type, from: text.utf8)
    }

    /// nil for a column that is NULL.
    package static func decodeIfPresent<Value: Decodable>(_ type: Value.Type, from text: String?) throws -> Value? {
        try text.map { try decode(type, from: $0) }
    }

    /// - Parameter isHandwritten: takes JSON5, for files that people or Python wrote: these have `NaN` and `Infinity`
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>, isHandwritten: Bool = false
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = isHandwritten
        return try decoder.decode(type, from: Data(bytes))
    }
}
