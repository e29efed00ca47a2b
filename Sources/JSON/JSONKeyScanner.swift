/// Walks over the keys of a JSON object, or the elements of an array, top level only, in one pass and without copying: the
/// places of the values, as byte offsets into the text.
///
/// Strict at the top level. What is nested is passed over: its strings and brackets have to match and nothing but the
/// characters of JSON may stand between them; whether its numbers and words are well-formed is not checked.
/// No text that a JSON parser takes is refused, up to `JSONCursor.maximumDepth`. A byte order mark is refused.
package struct JSONKeyScanner: ~Copyable {
    package struct Member {
        /// Of the key, without its quotes and as it stands there, escapes and all.
        package var key: Range<Int>
        /// Of the value, quotes and brackets included.
        package var value: Range<Int>
    }

    private var cursor: JSONCursor
    private var isStarted = false
    private var isFinished = false
    /// The brackets that are open in a nested value.
    private var open: [UInt8] = []

    /// `bytes` is lent for the scanner's life.
    package init(_ bytes: UnsafeRawBufferPointer) { cursor = JSONCursor(bytes: bytes) }

    /// The next member; nil at the end of the text, once it is known that nothing but space follows the object.
    package mutating func next() throws(JSONProblem) -> Member? {
        if isFinished { return nil }
        if try !advance(from: "{", to: "}") { return nil }
        let key = try cursor.skipString()
        cursor.skipSpace()
        try cursor.expect(UInt8(ascii: ":"))
        cursor.skipSpace()
        let start = cursor.position
        try skipValue()
        return Member(key: key, value: start..<cursor.position)
    }

    /// The place of the next element, if the text is an array and only this function is called; nil at its end.
    package mutating func nextElement() throws(JSONProblem) -> Range<Int>? {
        if isFinished { return nil }
        if try !advance(from: "[", to: "]") { return nil }
        let start = cursor.position
        try skipValue()
        return start..<cursor.position
    }

    /// Past the comma or the opening bracket; false at the end.
    private mutating func advance(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar
    ) throws(JSONProblem) -> Bool {
        cursor.skipSpace()
        if !isStarted {
            try cursor.expect(UInt8(ascii: opening))
            isStarted = true
            cursor.skipSpace()
            if cursor.peek() != UInt8(ascii: closing) { return true }
        } else if cursor.peek() == UInt8(ascii: ",") {
            cursor.position += 1
            cursor.skipSpace()
            return true
        }
        try cursor.expect(UInt8(ascii: closing))
        cursor.skipSpace()
        guard cursor.isAtEnd else { throw cursor.problem(at: cursor.position) }
        isFinished = true
        return false
    }

    private mutating func skipValue() throws(JSONProblem) {
        switch cursor.peek() {
        case UInt8(ascii: "\""): _ = try cursor.skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
        default: _ = try cursor.skipScalar()
        }
    }

    private mutating func skipNested() throws(JSONProblem) {
        open.removeAll(keepingCapacity: true)
        repeat {
            guard let byte = cursor.peek() else { throw cursor.problem(at: cursor.position) }
            cursor.position += 1
            switch byte {
            case UInt8(ascii: "\""): try cursor.skipToQuote()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // The object itself counts.
                guard open.count + 1 < JSONCursor.maximumDepth else {
                    throw JSONProblem(.tooDeep, at: cursor.position - 1)
                }
                open.append(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // In ASCII a closing bracket comes two after its opening one.
                guard open.popLast() == byte - 2 else { throw cursor.problem(at: cursor.position - 1) }
            default:
                guard JSONCursor.isPlain(byte) else { throw cursor.problem(at: cursor.position - 1) }
            }
        } while !open.isEmpty
    }
}
