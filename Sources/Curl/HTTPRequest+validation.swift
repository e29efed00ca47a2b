extension HTTPRequest {
    /// Refuses what libcurl would take but should not: it guesses a missing scheme, and copies line breaks of a header
    /// into the request, where they would begin another header.
    func validate() throws(HTTPError) {
        guard Self.hasWebScheme(url) else {
            throw HTTPError(.invalidURL, "the URL does not begin with http:// or https://")
        }
        // RFC 3986 has neither controls nor spaces; libcurl would send some of them.
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw HTTPError(.invalidURL, "the URL holds a space or a control character")
        }
        guard Self.isToken(method) else { throw HTTPError(.invalidRequest, "the method is not a token") }
        for (name, value) in headers {
            guard Self.isToken(name) else { throw HTTPError(.invalidRequest, "a header name is not a token") }
            guard !value.utf8.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D }) else {
                throw HTTPError(.invalidRequest, "a header value holds a line break or a NUL")
            }
        }
    }

    private static func hasWebScheme(_ url: String) -> Bool {
        let start = url.prefix(8).lowercased()
        return start.hasPrefix("http://") || start.hasPrefix("https://")
    }

    /// `token` of RFC 9110, section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
                default: false
                }
            }
    }
}
