/// An element of a list of which one that is broken, or of another type, must not cost the others.
package struct Lenient<Value: Decodable>: Decodable {
    package let result: Result<Value, any Error>

    /// nil if it cannot be decoded.
    package var value: Value? { try? result.get() }

    package init(from decoder: any Decoder) { result = Result { try Value(from: decoder) } }
}
