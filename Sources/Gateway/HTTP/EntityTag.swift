/// Entity tags (RFC 9110, 8.8.3 and 13.1.2).
enum EntityTag {
    /// Whether `condition`, the value of `If-None-Match`, names `etag`: `*`, or a list compared weakly.
    static func matches(_ etag: String, condition: String) -> Bool {
        if condition.utf8.allSatisfy({ $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: " ") }) {
            return condition.utf8.contains(UInt8(ascii: "*"))
        }
        var rest = condition.utf8[...]
        while !rest.isEmpty {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ",") }
            if rest.starts(with: "W/".utf8) { rest = rest.dropFirst(2) }
            // A tag may hold a comma, so it ends only at its closing quote.
            guard rest.first == UInt8(ascii: "\""), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\"")) else {
                return false
            }
            if rest[...end].elementsEqual(etag.utf8) { return true }
            rest = rest[rest.index(after: end)...]
        }
        return false
    }
}
