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

    /// 16 random hex digits.
    static func make() -> String { Hex.text(of: UInt64.random(in: .min ... .max)) }
}
