/// Which names and addresses mean this very host: 127.0.0.0/8, ::1, and `localhost`.
enum Loopback {
    /// A bare host, without port; an IPv6 address with or without brackets.
    static func isLoopback(host: String) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" || name == "[::1]" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        // A name such as 127.0.0.1.example.org must not pass: exactly four decimal numbers.
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy(isOctet)
    }

    /// The value of `Host`: a host and maybe a port.
    static func isLoopback(authority: String) -> Bool {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return false }
            let rest = authority[authority.index(after: end)...]
            return (rest.isEmpty || isPort(rest)) && isLoopback(host: String(authority[...end]))
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, parts.count == 1 || isPort(":" + parts[1]) else { return false }
        return isLoopback(host: String(host))
    }

    /// The value of `Origin`: `scheme://host:port`, or `null`, which is never ours.
    static func isLoopback(origin: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.lowercased().hasPrefix(scheme) {
            return isLoopback(authority: String(origin.dropFirst(scheme.count)))
        }
        return false
    }

    private static func isOctet(_ text: Substring) -> Bool {
        (1...3).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } && Int(text)! <= 255
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }
}
