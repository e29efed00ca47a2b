import HTTPTypes
import NIOHTTP1

/// A request's header fields as NIO has parsed them, found by `HTTPField.Name`.
///
/// Most requests lack most of the fields that are asked for, so that a look-up which finds nothing has to be cheap.
struct RequestHeaders: Sendable {
    let fields: HTTPHeaders
    /// A bit for each name that is there; several names share a bit. A clear bit tells that a name is missing.
    private let marks: UInt64

    init(_ fields: HTTPHeaders = HTTPHeaders()) {
        self.fields = fields
        var marks: UInt64 = 0
        for (name, _) in fields { marks |= Self.mark(name) }
        self.marks = marks
    }

    /// The bit of a name, in whatever case it is.
    private static func mark(_ name: String) -> UInt64 {
        let utf8 = name.utf8
        return 1 &<< UInt64(truncatingIfNeeded: utf8.count &* 8 ^ Int((utf8.last ?? 0) | 0x20))
    }

    /// Several fields of one name are joined by ", " (RFC 9110, section 5.3).
    subscript(name: HTTPField.Name) -> String? {
        guard marks & Self.mark(name.canonicalName) != 0 else { return nil }
        var joined: String?
        for field in fields where Self.isSame(field.name, name) {
            joined = joined.map { $0 + ", " + field.value } ?? field.value
        }
        return joined
    }

    /// The values of all fields of this name, in the order of the request.
    subscript(values name: HTTPField.Name) -> [String] {
        guard marks & Self.mark(name.canonicalName) != 0 else { return [] }
        var values: [String] = []
        for field in fields where Self.isSame(field.name, name) { values.append(field.value) }
        return values
    }

    /// `canonicalName` is in lower case already.
    private static func isSame(_ sent: String, _ name: HTTPField.Name) -> Bool {
        var sent = sent
        var wanted = name.canonicalName
        guard sent.utf8.count == wanted.utf8.count else { return false }
        return sent.withUTF8 { sent in
            wanted.withUTF8 { wanted in
                for index in 0..<wanted.count where sent[index] != wanted[index] {
                    let isCapital = sent[index] &- UInt8(ascii: "A") < 26
                    guard isCapital, sent[index] | 0x20 == wanted[index] else { return false }
                }
                return true
            }
        }
    }
}
