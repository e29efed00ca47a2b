/// Why bytes are not a JSON document, and where.
package struct JSONProblem: Error, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The bytes end before the document does.
        case truncated
        /// They break the grammar of RFC 8259, or are not UTF-8.
        case malformed
        /// Brackets are nested more than `JSONCursor.maximumDepth` deep.
        case tooDeep
    }

    package var kind: Kind
    /// Where the problem was noticed, in bytes.
    package var offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    package var description: String {
        switch kind {
        case .truncated: "the JSON ends early, after \(offset) bytes"
        case .malformed: "not JSON: broken at byte \(offset)"
        case .tooDeep: "the JSON is nested more than \(JSONCursor.maximumDepth) deep at byte \(offset)"
        }
    }
}
