#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A URL of a server, taken apart by RFC 3986 and put together in one form, so that two texts that mean one server are one
/// URL. `BaseURL+endpoint.swift` has what holds for endpoints alone.
struct BaseURL {
    var isTLS = false
    /// In lower case; IPv6 in brackets.
    var host = ""
    /// nil: the scheme's own.
    var port: Int?
    /// A port was written.
    private(set) var hasPort = false
    /// A query or a fragment was written. It is no part of the URL's one form.
    private(set) var hasTail = false
    /// Empty, or with a leading and without a trailing slash.
    var path = ""

    /// What is wrong, in words for the person who typed it; never repeats the text, which may hold a password.
    struct Problem: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }

    static let maximumLength = 2048

    init(_ text: String) throws(Problem) {
        guard !text.isEmpty else { throw Problem("is empty") }
        guard text.utf8.count <= Self.maximumLength else {
            throw Problem("is longer than \(Self.maximumLength) bytes")
        }
        // Beyond ASCII: host names are written in punycode, paths percent-encoded.
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"<>^`{|}".utf8.contains($0) }) else {
            throw Problem("holds a space, a control character, or another character that no URL may hold")
        }
        var rest = text[...]
        if let tls = Self.removePrefix("https://", of: &rest) {
            isTLS = tls
        } else if Self.removePrefix("http://", of: &rest) == nil {
            throw Problem("must begin with http:// or https://")
        }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        try parse(authority: rest[..<end])
        let afterAuthority = rest[end...]
        try parse(path: afterAuthority.prefix { !"?#".contains($0) })
        hasTail = afterAuthority.contains { "?#".contains($0) }
    }

    var text: String {
        (isTLS ? "https://" : "http://") + host + (port.map { ":\($0)" } ?? "") + path
    }

    private static func removePrefix(_ prefix: String, of text: inout Substring) -> Bool? {
        guard text.prefix(prefix.count).lowercased() == prefix else { return nil }
        text = text.dropFirst(prefix.count)
        return true
    }

    private mutating func parse(authority: Substring) throws(Problem) {
        guard !authority.contains("@") else {
            throw Problem("holds a user or password: give a key as api_key instead")
        }
        if authority.first == "[" {
            guard let close = authority.firstIndex(of: "]") else { throw Problem("has an unclosed [ in its host") }
            host = "[" + (try Self.ipv6(authority[authority.index(after: authority.startIndex)..<close])) + "]"
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { throw Problem("has text after the ] of its host") }
            try parse(port: rest.dropFirst())
        } else {
            let pieces = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = try Self.name(pieces[0].lowercased())
            try parse(port: pieces.count > 1 ? pieces[1] : "")
        }
    }

    private mutating func parse(port text: Substring) throws(Problem) {
        guard !text.isEmpty else { return }
        guard text.utf8.count <= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            (1...65535).contains(number)
        else { throw Problem("has a port that is not a number from 1 to 65535") }
        hasPort = true
        port = number == (isTLS ? 443 : 80) ? nil : number
    }

    private mutating func parse(path text: Substring) throws(Problem) {
        let segments = text.split(separator: "/", omittingEmptySubsequences: false)
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else {
            throw Problem("has . or .. in its path")
        }
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "%") {
            guard index + 2 < bytes.count, Self.isHex(bytes[index + 1]), Self.isHex(bytes[index + 2]) else {
                throw Problem("has a % in its path that is not followed by two hex digits")
            }
        }
        path = Self.trimmed(text)
    }

    /// Without slashes at the end.
    static func trimmed(_ path: Substring) -> String {
        path.utf8.lastIndex { $0 != UInt8(ascii: "/") }.map { String(path[...$0]) } ?? ""
    }

    /// RFC 1123 names, and `_`, which container networks use; one trailing dot (a name not to be searched for) stays.
    private static func name(_ host: String) throws(Problem) -> String {
        guard !host.isEmpty else { throw Problem("has no host") }
        guard host.utf8.count <= 253 else { throw Problem("has a host name of more than 253 characters") }
        var labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-",
                label.utf8.allSatisfy(isNameByte)
            else { throw Problem("has a host that is neither a name nor an address") }
        }
        return host
    }

    /// In the one short form of RFC 5952, as the C library writes it.
    private static func ipv6(_ text: Substring) throws(Problem) -> String {
        var address = in6_addr()
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_pton(AF_INET6, String(text), &address) == 1,
            inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil
        else { throw Problem("has a host in brackets that is not an IPv6 address") }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
