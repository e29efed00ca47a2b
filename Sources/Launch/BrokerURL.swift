/// What the settings need to know of `amqp://user:password@host:port/vhost`: whether it is one, and how to show it.
enum BrokerURL {
    static let allowed = "amqp:// or amqps:// URLs, separated by commas"

    /// The URLs of a comma-separated list; nil where one of them is not for a broker or names no host.
    static func list(_ text: String) -> [String]? {
        let urls = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
        guard !urls.isEmpty, urls.allSatisfy(isValid) else { return nil }
        return urls
    }

    static func isEncrypted(_ url: String) -> Bool { url.hasPrefix("amqps://") }

    /// With the password replaced by `***`.
    static func redacted(_ url: String) -> String {
        guard let (scheme, authority, rest) = split(url), let at = authority.lastIndex(of: "@") else { return url }
        let credentials = authority[..<at]
        guard let colon = credentials.firstIndex(of: ":") else { return url }
        return "\(scheme)\(credentials[..<colon]):***\(authority[at...])\(rest)"
    }

    private static func isValid(_ url: String) -> Bool {
        guard let (_, authority, _) = split(url) else { return false }
        let address = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority[...]
        guard let first = address.first, first != ":" else { return false }
        let afterBracket = address.lastIndex(of: "]").map { address[$0...] } ?? address
        guard let colon = afterBracket.lastIndex(of: ":") else { return true }
        return UInt16(afterBracket[afterBracket.index(after: colon)...]).map { $0 > 0 } ?? false
    }

    private static func split(_ url: String) -> (scheme: String, authority: Substring, rest: Substring)? {
        guard let scheme = ["amqp://", "amqps://"].first(where: url.hasPrefix) else { return nil }
        let tail = url.dropFirst(scheme.count)
        // A password may hold a slash that was not escaped: the authority then reaches to the last "@".
        let from = tail.lastIndex(of: "@") ?? tail.startIndex
        let end = tail[from...].firstIndex { $0 == "/" || $0 == "?" } ?? tail.endIndex
        return (scheme, tail[..<end], tail[end...])
    }
}
