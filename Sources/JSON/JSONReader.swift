/// Reads one JSON document by RFC 8259, and agrees with Foundation's decoder on what is one and what it means, but for
/// these rules:
///
/// - The text is UTF-8. A byte order mark before it is allowed, as section 8.1 lets a parser do. Foundation also reads
///   UTF-16 and UTF-32.
/// - A string with half a surrogate pair, which Swift cannot hold, is `.null`, and a member with such a key is left out:
///   one odd text of a server must not cost the rest of its answer. Foundation refuses the document.
/// - Of a key that occurs twice the last counts, as in ECMAScript and Python. RFC 8259 leaves it open; Foundation takes the
///   first, and does not look at the values of the others.
/// - A comma behind the last element or member is refused, as the RFC has it. Foundation takes it.
/// - A number beyond the range of `Double` is infinite. Foundation refuses to decode it.
/// - Brackets may be nested up to `JSONCursor.maximumDepth` deep, as in Foundation.
package struct JSONReader: ~Copyable {
    private var cursor: JSONCursor

    package static func read(_ document: [UInt8]) throws(JSONProblem) -> JSONValue {
        let result = document.withUnsafeBytes { bytes in
            Result { () throws(JSONProblem) -> JSONValue in try read(bytes) }
        }
        return try result.get()
    }

    package static func read(_ document: UnsafeRawBufferPointer) throws(JSONProblem) -> JSONValue {
        var reader = JSONReader(cursor: JSONCursor(bytes: document))
        if document.starts(with: [0xEF, 0xBB, 0xBF]) { reader.cursor.position = 3 }
        reader.cursor.skipSpace()
        let value = try reader.value(depth: 0)
        reader.cursor.skipSpace()
        guard reader.cursor.isAtEnd else { throw reader.cursor.problem(at: reader.cursor.position) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONProblem) -> JSONValue {
        switch cursor.peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return try string().map(JSONValue.string) ?? .null
        default:
            let place = try cursor.skipScalar()
            return JSONScalar.value(cursor.at(place))
        }
    }

    private mutating func object(depth: Int) throws(JSONProblem) -> JSONObject {
        var object = JSONObject()
        guard try enters(depth, endsWith: UInt8(ascii: "}")) else { return object }
        repeat {
            let key = try string()
            cursor.skipSpace()
            try cursor.expect(UInt8(ascii: ":"))
            cursor.skipSpace()
            let value = try value(depth: depth)
            if let key { object.members.append((key, value)) }
        } while try goesOn(until: UInt8(ascii: "}"))
        return object
    }

    private mutating func array(depth: Int) throws(JSONProblem) -> [JSONValue] {
        var elements: [JSONValue] = []
        guard try enters(depth, endsWith: UInt8(ascii: "]")) else { return elements }
        repeat {
            elements.append(try value(depth: depth))
        } while try goesOn(until: UInt8(ascii: "]"))
        return elements
    }

    /// Past the opening bracket; false, and past the closing one, if nothing is between them.
    private mutating func enters(_ depth: Int, endsWith end: UInt8) throws(JSONProblem) -> Bool {
        guard depth <= JSONCursor.maximumDepth else { throw JSONProblem(.tooDeep, at: cursor.position) }
        cursor.position += 1
        cursor.skipSpace()
        guard cursor.peek() == end else { return true }
        cursor.position += 1
        return false
    }

    /// Past a comma (true) or `end` (false).
    private mutating func goesOn(until end: UInt8) throws(JSONProblem) -> Bool {
        cursor.skipSpace()
        guard cursor.peek() == UInt8(ascii: ",") else {
            try cursor.expect(end)
            return false
        }
        cursor.position += 1
        cursor.skipSpace()
        return true
    }

    /// nil for half a surrogate pair.
    private mutating func string() throws(JSONProblem) -> String? {
        let content = try cursor.skipString()
        do throws(JSONProblem) {
            return try JSONString.read(cursor.at(content))
        } catch {
            throw JSONProblem(error.kind, at: content.lowerBound + error.offset)
        }
    }
}
