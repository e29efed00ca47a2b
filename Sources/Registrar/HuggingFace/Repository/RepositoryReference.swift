import Catalog

/// What a request's texts mean.
struct RepositoryReference: Sendable, Hashable {
    /// `org/name` as written.
    let repo: String
    /// Branch, tag, or commit; `main` where nothing says another.
    let revision: String
    /// Relative to the repository's root.
    let filename: String?
    /// As it is written; nil where nothing says one.
    let quantization: String?

    /// The registration's name: the repository's id in lower case.
    var name: String { repo.lowercased() }

    static let defaultRevision = "main"

    /// - Throws: 400 `repo_required`, `invalid_repo`, `invalid_filename`; 404 `revision_not_found` for a text that no
    ///   branch, tag, or commit can be named by.
    init(_ request: RegistrationRequest, hub: HubAddress) throws(Rejection) {
        let text = request.repo.trimmingWhitespace
        guard !text.isEmpty else { throw .repoRequired }
        let location = try RepositoryLocation(String(text), hub: hub)
        repo = location.repo
        revision = try Self.revision(given: request.revision, located: location.revision) ?? Self.defaultRevision
        filename = try Self.filename(given: request.filename, located: location.filename)
        quantization = try Self.quantization(given: request.quantization, located: location.quantization)
    }

    private static func quantization(given: String?, located: String?) throws(Rejection) -> String? {
        let given = given.flatMap { $0.isEmpty ? nil : $0 }
        if let given, let located, QuantizationName(request: given) != QuantizationName(request: located) {
            throw .invalidRepo(
                "`repo` names the quantization \(QuotedText.of(located)), and `quantization` \(QuotedText.of(given)): give one of them.",
                param: "quantization")
        }
        return given ?? located
    }

    private static func revision(given: String?, located: String?) throws(Rejection) -> String? {
        let given = given.flatMap { $0.isEmpty ? nil : $0 }
        for revision in [given, located].compactMap({ $0 }) where !isRevision(revision) {
            throw .revisionNotFound("\(QuotedText.of(revision)) is not a name that a branch, tag, or commit can have.")
        }
        if let given, let located, given != located {
            throw .invalidRepo(
                "The URL names the revision \(QuotedText.of(located)), and `revision` \(QuotedText.of(given)): give one of them.",
                param: "revision")
        }
        return given ?? located
    }

    private static func filename(given: String?, located: String?) throws(Rejection) -> String? {
        let given = given.flatMap { $0.isEmpty ? nil : $0 }
        for filename in [given, located].compactMap({ $0 }) {
            guard HubPath.isSafe(filename), !HubPath.isDeceptive(filename) else {
                throw .invalidFilename(
                    "`filename` is the path of a file inside the repository: relative, at most \(HubPath.maximumLength) bytes, without \"..\", backslashes, and control or invisible characters."
                )
            }
        }
        if let given, let located, given != located {
            throw .invalidFilename(
                "The URL names the file \(QuotedText.of(located)), and `filename` \(QuotedText.of(given)): give one of them."
            )
        }
        return given ?? located
    }

    /// What git lets a ref be named (git-check-ref-format), of printable ASCII, at most 255 bytes.
    private static func isRevision(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...255).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }),
            !bytes.contains(where: { "~^:?*[\\".utf8.contains($0) }),
            !text.contains(".."), !text.contains("@{"), text != "@", !text.hasSuffix(".")
        else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && !part.hasPrefix(".") && !part.hasSuffix(".lock")
        }
    }
}

extension String {
    /// Without white space and line breaks at both ends: what copying a name from a page brings along.
    fileprivate var trimmingWhitespace: Substring {
        let isBlank = { (character: Character) in character.isWhitespace }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return self[first...last]
    }
}
