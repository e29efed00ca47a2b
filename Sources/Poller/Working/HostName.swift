/// The host of a URL: what a poller cannot reach when it is cut off. Two servers on one machine have the same.
enum HostName {
    /// Scheme, host, and port: what connections are made to.
    static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://"), let slash = url[scheme.upperBound...].firstIndex(of: "/") else {
            return url
        }
        return String(url[..<slash])
    }

    static func of(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // An IPv6 address is full of colons, in brackets.
        if authority.first == "[" { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }
}
