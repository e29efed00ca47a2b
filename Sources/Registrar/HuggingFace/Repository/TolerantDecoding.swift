import JSON

extension KeyedDecodingContainer {
    /// The value, or nil where it is absent or of another type: what the Hub and the authors of repositories write
    /// differs from one repository to the next, and one odd field must not cost the others.
    func usable<Value: Decodable>(_ key: Key, as type: Value.Type = Value.self) -> Value? {
        (try? decodeIfPresent(type, forKey: key)) ?? nil
    }
}

/// What the Hub and the authors of repositories wrote, as far as it can be used.
enum HubJSON {
    /// nil where the bytes are not JSON, or not of this shape.
    ///
    /// - Parameter isHandwritten: Python writes `NaN` and `Infinity` into the files of a repository, which JSON does
    ///   not have and JSON5 does.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], isHandwritten: Bool = false) -> Value?
    {
        try? JSONCoding.decode(type, from: bytes, isHandwritten: isHandwritten)
    }

    /// A short text on one line; nil for others, which are no names of anything.
    static func word(_ text: String?) -> String? {
        guard let text, (1...200).contains(text.utf8.count),
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        return text
    }

    /// A positive number that doubles, and so every reader of JSON, can hold exactly.
    static func count(_ number: Int64?) -> Int64? {
        guard let number, number > 0, number <= 1 << 53 else { return nil }
        return number
    }
}
