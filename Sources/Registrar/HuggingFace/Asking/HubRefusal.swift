import Catalog

/// What the Hub means by an answer that is not the one asked for.
///
/// Sources: huggingface_hub, `utils/_http.py` (`hf_raise_for_status`), and the answers kept as fixtures. Bodies are not
/// looked at: they may be anything, and repeat what was sent.
enum HubRefusal {
    /// What was asked for.
    enum Subject: Sendable, Hashable {
        case repository(RepositoryReference)
        /// A file that the Hub itself lists.
        case file(String)
    }

    /// - Parameter header: the first value of a header by its name.
    static func rejection(
        status: Int, header: (String) -> String?, subject: Subject, hasToken: Bool
    ) -> Rejection {
        switch header("X-Error-Code") {
        case "GatedRepo": return gated(subject, hasToken: hasToken)
        case "RepoNotFound": return notFound(subject, hasToken: hasToken)
        case "RevisionNotFound": return revisionNotFound(subject)
        case "EntryNotFound": return entryNotFound(subject)
        default: break
        }
        switch status {
        case 401: return unauthorized(header("X-Error-Message") ?? "", subject: subject, hasToken: hasToken)
        case 403: return forbidden(header("X-Error-Message") ?? "", subject: subject, hasToken: hasToken)
        case 404:
            if case .file = subject { return entryNotFound(subject) }
            return notFound(subject, hasToken: hasToken)
        case 429:
            return .hubRateLimited(
                retryAfter: RetryAdvice.seconds(
                    retryAfter: header("Retry-After"), rateLimit: header("RateLimit")))
        case 500...599:
            var rejection = Rejection.hubError("The Hub has a problem of its own (status \(status)): try again later.")
            rejection.retryAfter = RetryAdvice.seconds(retryAfter: header("Retry-After"), rateLimit: nil)
            return rejection
        default: return .hubError("The Hub gave an answer that it should not give (status \(status)).")
        }
    }

    private static let tokenHint = "Give the registrar a token that may read it (HF_TOKEN)."

    private static func gated(_ subject: Subject, hasToken: Bool) -> Rejection {
        let what =
            switch subject {
            case .repository: "The repository is gated"
            case .file(let path): "The repository is gated, and \(QuotedText.of(path)) is needed"
            }
        return .gatedRepository(
            hasToken
                ? "\(what): the token's owner has not been given access. Ask for it on the repository's page."
                : "\(what): ask for access on its page. \(tokenHint)")
    }

    private static func notFound(_ subject: Subject, hasToken: Bool) -> Rejection {
        let name =
            if case .repository(let reference) = subject { QuotedText.of(reference.repo) } else { "repository" }
        return .repositoryNotFound(
            hasToken
                ? "The Hub has no model repository \(name) that the registrar's token may read."
                : "The Hub has no public model repository \(name); it may be private. \(tokenHint)")
    }

    private static func revisionNotFound(_ subject: Subject) -> Rejection {
        guard case .repository(let reference) = subject else {
            return .revisionNotFound("The registered commit is gone from the repository.")
        }
        return .revisionNotFound(
            "\(QuotedText.of(reference.repo)) has no branch, tag, or commit \(QuotedText.of(reference.revision)).")
    }

    private static func entryNotFound(_ subject: Subject) -> Rejection {
        guard case .file(let path) = subject else {
            return .hubError("The Hub gave an answer that it should not give (EntryNotFound).")
        }
        return .fileNotFound("The Hub lists \(QuotedText.of(path)) and does not have it.", param: "repo")
    }

    /// Without a code: a repository that is missing, or private, or a token that is wrong.
    private static func unauthorized(_ message: String, subject: Subject, hasToken: Bool) -> Rejection {
        if hasToken, message.contains("Invalid credentials") {
            return .hubError("The Hub does not accept the registrar's token: check HF_TOKEN.")
        }
        return notFound(subject, hasToken: hasToken)
    }

    private static func forbidden(_ message: String, subject: Subject, hasToken: Bool) -> Rejection {
        if message.contains("disabled") { return disabled }
        if message.contains("fine-grained") {
            return .gatedRepository(
                "The repository is gated, and the registrar's fine-grained token may not read such ones: enable that in the token's settings."
            )
        }
        return .gatedRepository(
            hasToken
                ? "The Hub does not let the registrar's token read the repository."
                : "The Hub does not let everybody read the repository. \(tokenHint)")
    }

    static let disabled = Rejection.repositoryNotFound("The Hub has disabled the repository: it cannot be downloaded.")
}
