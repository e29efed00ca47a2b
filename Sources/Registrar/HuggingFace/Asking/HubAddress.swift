import Catalog

/// Where the Hub is: what `HF_ENDPOINT` says.
struct HubAddress: Sendable, Hashable {
    /// Scheme, host, and port: what a token is bound to, and what redirects must keep.
    struct Origin: Sendable, Hashable {
        let isTLS: Bool
        /// In lower case.
        let host: String
        /// Always a number: the scheme's own where none is written.
        let port: Int
    }

    let origin: Origin
    /// Empty, or with a leading and without a trailing slash: mirrors live under one.
    let path: String
    /// `https://huggingface.co`, without a trailing slash.
    let text: String

    /// What is wrong with an address, without repeating it.
    struct Problem: Error, Hashable {
        let message: String
    }

    static let allowed = "an http or https URL with a host, perhaps a port and a path, and nothing else"

    init(_ text: String) throws(Problem) {
        guard !text.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw Problem(message: "it has a query or a fragment")
        }
        let normalized: String
        do {
            normalized = try EndpointRules.normalizedURL(text)
        } catch {
            throw Problem(message: "it is not \(Self.allowed)")
        }
        guard let location = WebLocation(normalized), let origin = location.origin else {
            throw Problem(message: "it is not \(Self.allowed)")
        }
        self.origin = origin
        self.path = location.path
        self.text = normalized
    }

    private init(origin: Origin, path: String, text: String) {
        self.origin = origin
        self.path = path
        self.text = text
    }

    static let standard = HubAddress(
        origin: Origin(isTLS: true, host: "huggingface.co", port: 443), path: "", text: "https://huggingface.co")

    /// Hosts that are the public Hub, wherever the configured one is: their links are what people paste.
    static let publicHosts: Set<String> = ["huggingface.co", "www.huggingface.co", "hf.co"]

    /// Everything about a repository at a revision; with sizes and hashes of its files when `blobs`.
    func information(of repo: String, revision: String, blobs: Bool) -> String {
        "\(text)/api/models/\(repo)/revision/\(PercentEncoding.encode(revision))" + (blobs ? "?blobs=true" : "")
    }

    /// A file at a commit.
    func file(_ path: String, of repo: String, commit: String) -> String {
        "\(text)/\(repo)/resolve/\(commit)/\(PercentEncoding.encode(path, keepingSlashes: true))"
    }
}

/// A URL's text taken apart where the parts are, without judging them.
struct WebLocation {
    /// In lower case; nil where there is none.
    let scheme: String?
    let authority: String
    /// From the first slash on, without query and fragment.
    let path: String
    /// From the `?` on, without the fragment.
    let query: String

    /// nil where the text has another scheme than http and https, as in `file:/etc/passwd`.
    init?(_ text: String) {
        var rest = text[...]
        if let mark = rest.firstRange(of: "://") {
            let scheme = rest[..<mark.lowerBound].lowercased()
            guard scheme == "http" || scheme == "https" else { return nil }
            self.scheme = scheme
            rest = rest[mark.upperBound...]
        } else {
            scheme = nil
        }
        let withoutFragment = rest.prefix { $0 != "#" }
        let beforeQuery = withoutFragment.prefix { $0 != "?" }
        query = String(withoutFragment[beforeQuery.endIndex...])
        let end = beforeQuery.firstIndex(of: "/") ?? beforeQuery.endIndex
        authority = String(beforeQuery[..<end])
        path = String(beforeQuery[end...])
    }

    /// nil without a scheme, with a user part, or with a port that is none.
    var origin: HubAddress.Origin? {
        guard let scheme, let (host, port) = hostAndPort else { return nil }
        return HubAddress.Origin(isTLS: scheme == "https", host: host, port: port ?? (scheme == "https" ? 443 : 80))
    }

    /// nil with a user part, without a host, or with a port that is none.
    var hostAndPort: (host: String, port: Int?)? {
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        let hostEnd =
            authority.first == "["
            ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        let host = authority[..<(hostEnd ?? authority.endIndex)].lowercased()
        let rest = authority[(hostEnd ?? authority.endIndex)...]
        guard !host.isEmpty else { return nil }
        if rest.isEmpty { return (host, nil) }
        let digits = rest.dropFirst()
        guard rest.first == ":", (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
            let port = Int(digits), (1...65535).contains(port)
        else { return nil }
        return (host, port)
    }
}
