/// A whole answer, whatever its status: 404 and 503 are answers, not errors.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// Decoded: gzip, deflate, brotli, and zstd are undone.
    public let body: [UInt8]
    /// After redirects.
    public let url: String
    private let fields: Fields

    /// Most readers want one header or none, so the lines of the head are taken apart only if all are asked for.
    private enum Fields: Sendable {
        case head(ResponseHead)
        case list([(name: String, value: String)])
    }

    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8], url: String) {
        self.status = status
        self.body = body
        self.url = url
        fields = .list(headers)
    }

    init(head: ResponseHead, body: [UInt8]) {
        status = head.status
        self.body = body
        url = head.url
        fields = .head(head)
    }

    /// In the order they came, those of the last response only; trailers are left out. Made anew at each call.
    public var headers: [(name: String, value: String)] {
        switch fields {
        case .head(let head): head.fields()
        case .list(let list): list
        }
    }

    /// First value of a header, name in any letter case.
    public func header(_ name: String) -> String? {
        if case .head(let head) = fields, !head.mayHave(name) { return nil }
        return firstValue(of: name, in: headers)
    }
}

/// Header names are ASCII and compared without regard to letter case (RFC 9110, section 5.1).
func firstValue(of name: String, in headers: [(name: String, value: String)]) -> String? {
    headers.first { isSameHeader($0.name, name) }?.value
}

func isSameHeader(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count
        && zip(left.utf8, right.utf8).allSatisfy { asciiLowercase($0) == asciiLowercase($1) }
}

func asciiLowercase(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
