/// A whole answer, whatever its status: 404 and 503 are answers, not errors.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// In the order they came, those of the last response only; trailers are left out.
    public let headers: [(name: String, value: String)]
    /// Decoded: gzip, deflate, brotli, and zstd are undone.
    public let body: [UInt8]
    /// After redirects.
    public let url: String

    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8], url: String) {
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
    }

    /// First value of a header, name in any letter case.
    public func header(_ name: String) -> String? { firstValue(of: name, in: headers) }
}

/// Header names are ASCII and compared without regard to letter case (RFC 9110, section 5.1).
func firstValue(of name: String, in headers: [(name: String, value: String)]) -> String? {
    headers.first { isSameHeader($0.name, name) }?.value
}

func isSameHeader(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count
        && zip(left.utf8, right.utf8).allSatisfy { asciiLowercase($0) == asciiLowercase($1) }
}

private func asciiLowercase(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
