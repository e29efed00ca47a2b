import Catalog

/// Where an endpoint's connections go: the scheme, host, and port of its base URL.
struct Origin: Sendable, Hashable {
    let isTLS: Bool
    /// In lower case; an IPv6 address without its brackets.
    let host: String
    let port: Int

    /// The host and port as the `Host` field of a request says them (RFC 9110, 7.2): the scheme's own port is left out.
    var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}

/// A base URL as the registry keeps it (`EndpointRules.normalizedBaseURL`), taken apart.
struct EndpointAddress: Sendable, Hashable {
    let origin: Origin
    /// Stands before each route; empty, or with a leading and without a trailing slash.
    let pathPrefix: String

    /// nil for a text that is not `http(s)://host[:port][/path]`.
    init?(baseURL: String) {
        let isTLS = baseURL.hasPrefix("https://")
        guard isTLS || baseURL.hasPrefix("http://") else { return nil }
        let rest = baseURL.dropFirst(isTLS ? 8 : 7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        var host = authority
        var port = isTLS ? 443 : 80
        // The last colon begins a port unless it stands inside the brackets of an IPv6 address.
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            host = authority[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        origin = Origin(isTLS: isTLS, host: String(host), port: port)
        pathPrefix = String(rest[slash...])
    }
}
