import JSON

/// A total order of values by their bytes as JSON with sorted keys, for the rare ties that nothing else decides.
enum CanonicalBytes {
    static func precedes<Value: Encodable>(_ left: Value, _ right: Value) -> Bool {
        of(left).lexicographicallyPrecedes(of(right))
    }

    private static func of(_ value: some Encodable) -> [UInt8] {
        do {
            return try JSONCoding.encode(value)
        } catch {
            // Records and rows hold strings, integers, and booleans only: there is nothing that JSON cannot say.
            preconditionFailure("a record that JSON cannot represent")
        }
    }
}
