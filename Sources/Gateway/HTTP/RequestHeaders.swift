import HTTPTypes
import NIOHTTP1

/// A request's header fields as NIO has parsed them, found by `HTTPField.Name`.
///
/// Most requests lack most of the fields that are asked for, so that a look-up which finds nothing has to be cheap. The
/// fields are taken out of NIO's collection once: it gives each of its strings as a copy.
struct RequestHeaders: Sendable {
    struct Field: Sendable {
        let name: String
        let value: String
    }

    let fields: [Field]
    /// A bit for each length of a name. Lengths that differ by 64 share a bit; a clear bit tells that a name is missing.
    private let lengths: UInt64

    init(_ fields: HTTPHeaders = HTTPHeaders()) {
        var lengths: UInt64 = 0
        var all: [Field] = []
        all.reserveCapacity(fields.count)
        for (name, value) in fields {
            lengths |= 1 &<< UInt64(truncatingIfNeeded: name.utf8.count)
            all.append(Field(name: name, value: value))
        }
        self.fields = all
        self.lengths = lengths
    }

    /// False if no field's name has this length. The answer may be true although there is none.
    func mayHaveName(ofLength length: Int) -> Bool { lengths & (1 &<< UInt64(truncatingIfNeeded: length)) != 0 }

    /// Several fields of one name are joined by ", " (RFC 9110, section 5.3).
    subscript(name: HTTPField.Name) -> String? {
        guard mayHaveName(ofLength: name.canonicalName.utf8.count) else { return nil }
        var joined: String?
        for index in fields.indices where Self.isSame(fields[index].name, name) {
            let value = fields[index].value
            joined = joined.map { $0 + ", " + value } ?? value
        }
        return joined
    }

    /// The values of all fields of this name, in the order of the request.
    subscript(values name: HTTPField.Name) -> [String] {
        guard mayHaveName(ofLength: name.canonicalName.utf8.count) else { return [] }
        var values: [String] = []
        for index in fields.indices where Self.isSame(fields[index].name, name) { values.append(fields[index].value) }
        return values
    }

    /// `canonicalName` is in lower case already.
    private static func isSame(_ sent: String, _ name: HTTPField.Name) -> Bool {
        let wanted = name.canonicalName
        guard sent.utf8.count == wanted.utf8.count else { return false }
        return sent.withBytes { sent in wanted.withBytes { sent.isASCIIEqual($0) } }
    }
}
