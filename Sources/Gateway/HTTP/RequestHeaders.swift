import HTTPTypes
import NIOHTTP1

/// A request's header fields as NIO has parsed them, found by `HTTPField.Name`.
///
/// A look-up that finds nothing allocates nothing: most requests lack most of the fields that are asked for.
struct RequestHeaders: Sendable {
    let fields: HTTPHeaders

    init(_ fields: HTTPHeaders = HTTPHeaders()) { self.fields = fields }

    /// Several fields of one name are joined by ", " (RFC 9110, section 5.3).
    subscript(name: HTTPField.Name) -> String? {
        var joined: String?
        for field in fields where Self.isSame(field.name, name) {
            joined = joined.map { $0 + ", " + field.value } ?? field.value
        }
        return joined
    }

    /// The values of all fields of this name, in the order of the request.
    subscript(values name: HTTPField.Name) -> [String] {
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
