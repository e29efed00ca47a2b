import Synchronization

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

/// `X-Request-Id`: the client's own if it is sane, else a new one.
enum RequestIdentity {
    /// 1–128 characters of `[A-Za-z0-9._-]`: safe in a header and in any log.
    static func isSane(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The id of a request with these header fields.
    static func of(_ headers: RequestHeaders) -> String {
        if let own = headers[.requestID], isSane(own) { return own }
        return make()
    }

    /// 15 hex digits that look random. Swift keeps a text of up to 15 bytes without memory of its own.
    ///
    /// They need not be hard to guess, only not the same twice: to ask the system for random bytes is a system call for
    /// each request.
    static func make() -> String {
        let count = counter.wrappingAdd(SplitMixGenerator.step, ordering: .relaxed).newValue
        var value = StableHash.mixed(count)
        return String(unsafeUninitializedCapacity: 15) { digits in
            for index in 0..<15 {
                let digit = UInt8(truncatingIfNeeded: value & 15)
                digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                value >>= 4
            }
            return 15
        }
    }

    private static let counter = Atomic<UInt64>(.random(in: .min ... .max))
}
