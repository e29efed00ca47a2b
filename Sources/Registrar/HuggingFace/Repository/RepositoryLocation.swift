import Catalog

/// What `repo` names: an id, or a page of the Hub.
struct RepositoryLocation: Sendable, Hashable {
    /// `org/name` as written.
    let repo: String
    let revision: String?
    let filename: String?
    /// `org/name:QUANT`, as llama.cpp and Ollama write it; nil for `:latest`, which means none.
    let quantization: String?

    static let maximumLength = 2048

    init(_ text: String, hub: HubAddress) throws(Rejection) {
        guard text.utf8.count <= Self.maximumLength else {
            throw .invalidRepo("`repo` is longer than \(Self.maximumLength) bytes.")
        }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"<>^`{|}".utf8.contains($0) }) else {
            throw .invalidRepo(
                "`repo` holds a space, a control character, or another character that neither an id nor a URL may hold."
            )
        }
        let isURL = text.contains("://")
        let path = try Self.path(of: text, hub: hub)
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        if parts.last == "" { parts.removeLast() }
        try Self.refuseOtherKinds(parts)
        // The Hub's list of models; no owner can have this name.
        if isURL, parts.first == "models", parts.count >= 3 { parts.removeFirst() }
        guard parts.count >= 2 else {
            throw .invalidRepo("\(QuotedText.of(text)) does not name a repository: that takes the form org/name.")
        }
        let owner = parts.removeFirst()
        var name = parts.removeFirst()
        let tag = Self.cut(&name, at: ":")
        let branch = Self.cut(&name, at: "@")
        // What `git clone` takes.
        if isURL, parts.isEmpty, name.hasSuffix(".git") { name = name.dropLast(4) }
        for part in [owner, name] {
            if let problem = Self.problem(ofName: part) {
                throw .invalidRepo("\(QuotedText.of(String(part))) is no name on the Hub: \(problem).")
            }
        }
        repo = "\(owner)/\(name)"
        let page = try Self.page(parts)
        let tagged = try Self.tagged(tag)
        revision = page.0 ?? branch.map(String.init)
        let shown = try Self.shownFile(of: text)
        filename = page.1 ?? tagged.filename ?? shown
        quantization = tagged.quantization
    }

    /// Takes what stands behind the first `mark` off the name; nil without the mark.
    private static func cut(_ name: inout Substring, at mark: Character) -> Substring? {
        guard let index = name.firstIndex(of: mark) else { return nil }
        defer { name = name[..<index] }
        return name[name.index(after: index)...]
    }

    /// What a tag means: a quantization, or a file as Ollama allows it.
    private static func tagged(_ tag: Substring?) throws(Rejection) -> (quantization: String?, filename: String?) {
        guard let tag, tag.lowercased() != "latest" else { return (nil, nil) }
        if tag.lowercased().hasSuffix(".gguf") { return (nil, String(tag)) }
        let isWord = tag.utf8.allSatisfy { byte in
            byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || "-_.".utf8.contains(byte)
        }
        guard isWord, (1...64).contains(tag.utf8.count) else {
            throw .invalidRepo(
                "What stands behind the colon of `repo` is a quantization, such as Q8_0, or \"latest\": letters, digits, \"-\", \"_\", and \".\" only."
            )
        }
        return (String(tag), nil)
    }

    /// The file that a page of the Hub's file viewer shows (`?show_file_info=FILE`); nil for other pages.
    private static func shownFile(of text: String) throws(Rejection) -> String? {
        guard let query = WebLocation(text)?.query.dropFirst() else { return nil }
        for field in query.split(separator: "&") {
            let pair = field.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, ["show_file_info", "show_tensors"].contains(pair[0]) else { continue }
            guard let file = PercentEncoding.decode(pair[1]) else {
                throw .invalidRepo("The URL has a % that is not followed by two hex digits of UTF-8 text.")
            }
            return file
        }
        return nil
    }

    /// Whether a Hub's own `id` of a repository is one.
    static func isRepositoryID(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { problem(ofName: $0) == nil }
    }

    /// The path on the Hub, without a leading slash.
    private static func path(of text: String, hub: HubAddress) throws(Rejection) -> Substring {
        // The scheme of huggingface_hub's file system.
        if text.hasPrefix("hf://") { return text.dropFirst("hf://".count).prefix { $0 != "?" && $0 != "#" } }
        guard let location = WebLocation(text) else {
            throw .invalidRepo("`repo` is a URL that is neither http nor https.")
        }
        guard let path = hubPath(of: location, hub: hub) else {
            // The text is not quoted below: a URL may hold a password.
            if location.scheme == nil, !location.authority.contains(where: { $0 == ":" || $0 == "@" }) {
                // No URL at all: the id itself, which has exactly two parts.
                let id = try shownFile(of: text) == nil ? text[...] : text.prefix { $0 != "?" }
                let slashes = id.utf8.count { $0 == UInt8(ascii: "/") }
                if slashes < 2 || isOtherKind(location.authority) { return id }
            }
            throw .invalidRepo(
                "`repo` is neither org/name nor a URL on the Hub (\(hub.origin.host), huggingface.co, hf.co)."
            )
        }
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw .invalidRepo("\(QuotedText.of(text)) is a Hub's address without a repository: add org/name.")
        }
        return path.dropFirst()
    }

    /// nil where the text is not a URL of the configured Hub or of the public one.
    private static func hubPath(of location: WebLocation, hub: HubAddress) -> Substring? {
        guard let (host, port) = location.hostAndPort else { return nil }
        let isHub = host == hub.origin.host && (port.map { $0 == hub.origin.port } ?? hub.origin.hasOwnPort(location))
        if isHub, location.path == hub.path || location.path.hasPrefix(hub.path + "/") {
            return location.path.dropFirst(hub.path.count)
        }
        let isUsualPort = port == nil || port == (location.scheme == "http" ? 80 : 443)
        return HubAddress.publicHosts.contains(host) && isUsualPort ? location.path[...] : nil
    }

    private static func isOtherKind(_ part: some StringProtocol) -> Bool { part == "datasets" || part == "spaces" }

    private static func refuseOtherKinds(_ parts: ArraySlice<Substring>) throws(Rejection) {
        switch parts.first {
        case "datasets": throw .invalidRepo("This is a dataset: only model repositories can be registered.")
        case "spaces": throw .invalidRepo("This is a Space: only model repositories can be registered.")
        default: return
        }
    }

    /// The Hub's own rules of names (huggingface_hub, `validate_repo_id`); nil where they are kept.
    private static func problem(ofName name: Substring) -> String? {
        guard (1...96).contains(name.utf8.count) else { return "it must have 1 to 96 characters" }
        guard
            name.utf8.allSatisfy({ byte in
                byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || "-_.".utf8.contains(byte)
            })
        else { return "it may hold ASCII letters, digits, \"-\", \"_\", and \".\" only" }
        guard !name.contains(".."), !name.contains("--") else { return "it must not hold \"..\" or \"--\"" }
        guard let first = name.first, let last = name.last, !"-.".contains(first), !"-.".contains(last) else {
            return "it must not begin or end with \"-\" or \".\""
        }
        guard !name.lowercased().hasSuffix(".git") else { return "it must not end with \".git\"" }
        return nil
    }

    /// What stands behind the repository: `/tree/REV`, or `/blob/REV/FILE` and its like.
    private static func page(_ parts: ArraySlice<Substring>) throws(Rejection) -> (String?, String?) {
        guard let kind = parts.first else { return (nil, nil) }
        guard ["tree", "blob", "resolve", "raw"].contains(kind) else {
            throw .invalidRepo(
                "The URL is of another page of the repository: give org/name, or the URL of a revision (tree) or a file (blob, resolve)."
            )
        }
        var decoded: [String] = []
        for part in parts.dropFirst() {
            guard let text = PercentEncoding.decode(part) else {
                throw .invalidRepo("The URL has a % that is not followed by two hex digits of UTF-8 text.")
            }
            decoded.append(text)
        }
        // Of the revisions with a slash the Hub writes these two kinds as they are, and others with %2F.
        let isRef = decoded.count >= 3 && decoded[0] == "refs" && ["pr", "convert"].contains(decoded[1])
        let revision = decoded.prefix(isRef ? 3 : 1).joined(separator: "/")
        let file = decoded.dropFirst(isRef ? 3 : 1).joined(separator: "/")
        guard !decoded.isEmpty else { throw .invalidRepo("The URL ends before its revision.") }
        guard kind == "tree" || !file.isEmpty else { throw .invalidRepo("The URL ends before its file.") }
        guard kind != "tree" || file.isEmpty else {
            throw .invalidRepo(
                "The URL is of a folder, and a folder cannot be registered: name a file of it with `filename`.")
        }
        return (revision, file.isEmpty ? nil : file)
    }
}

extension HubAddress.Origin {
    /// Whether a URL without a port means this origin's.
    fileprivate func hasOwnPort(_ location: WebLocation) -> Bool {
        port == (location.scheme.map { $0 == "https" } ?? isTLS ? 443 : 80)
    }
}
