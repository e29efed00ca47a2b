/// One broker's address and login, out of an AMQP URI (https://www.rabbitmq.com/uri-spec.html).
///
/// It differs from that page in one point: an empty path means the vhost `/` as no path does.
struct BrokerURL: Sendable, Hashable {
    var isSecure: Bool
    var host: String
    var port: UInt16
    var user: String
    var password: String
    var vhost: String

    /// For logs and errors: no credentials.
    var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Throws `configuration`, with a text that repeats nothing of the URL.
    init(_ text: String) throws(AMQPError) {
        var rest = Substring(text)
        if rest.hasPrefix("amqps://") {
            isSecure = true
        } else if rest.hasPrefix("amqp://") {
            isSecure = false
        } else {
            throw Self.unusable("it must begin with amqp:// or amqps://")
        }
        rest = rest[rest.index(rest.startIndex, offsetBy: isSecure ? 8 : 7)...]
        if rest.contains(where: { $0 == "?" || $0 == "#" }) { throw Self.unusable("it has a query or a fragment") }

        let pathStart = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = rest[pathStart...].dropFirst()
        if path.contains("/") { throw Self.unusable("a slash in the vhost must be written %2F") }
        vhost = path.isEmpty ? "/" : try Self.decode(path, "vhost")

        var authority = rest[..<pathStart]
        user = "guest"
        password = "guest"
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decode(login[0], "user")
            password = login.count > 1 ? try Self.decode(login[1], "password") : ""
            authority = authority[authority.index(after: at)...]
        }
        (host, port) = try Self.hostAndPort(authority, standardPort: isSecure ? 5671 : 5672)
    }

    private static func hostAndPort(
        _ authority: Substring, standardPort: UInt16
    ) throws(AMQPError) -> (String, UInt16) {
        var host = authority
        var portText: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw unusable("the IPv6 address is not closed") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.first == ":" else { throw unusable("the host is malformed") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        let name = try decode(host, "host")
        if name.isEmpty { throw unusable("it has no host") }
        guard let portText else { return (name, standardPort) }
        guard portText.allSatisfy(\.isNumber), let port = UInt16(portText), port > 0 else {
            throw unusable("the port is not a number from 1 to 65535")
        }
        return (name, port)
    }

    private static func decode(_ text: Substring, _ part: String) throws(AMQPError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "%") {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimalDigit),
                let low = rest.popFirst().flatMap(hexadecimalDigit)
            else { throw unusable("the \(part) has a bad percent-encoding") }
            bytes.append(high << 4 | low)
        }
        // The library takes C strings, so a zero byte would cut the rest off.
        guard let decoded = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw unusable("the \(part) is not text in UTF-8")
        }
        return decoded
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func unusable(_ why: String) -> AMQPError {
        AMQPError(.configuration, "a broker URL cannot be used: \(why)")
    }
}
