import Catalog

/// Why a repository is not registered: the codes of the route in the HTTP contract.
extension Rejection {
    static let repoRequired = registration(
        "repo_required", "Say which repository to register: `repo` takes org/name, or its URL on the Hub.", "repo")

    static func invalidRepo(_ reason: String, param: String = "repo") -> Rejection {
        registration("invalid_repo", reason, param)
    }

    static func invalidFilename(_ reason: String) -> Rejection { registration("invalid_filename", reason, "filename") }

    static func fileNotFound(_ reason: String, param: String = "filename") -> Rejection {
        registration("file_not_found", reason, param)
    }

    static func unsupportedArtifact(_ reason: String, param: String? = nil) -> Rejection {
        registration("unsupported_artifact", reason, param)
    }

    /// An adapter, which no runtime loads by itself.
    static func adapter(base: String?) -> Rejection {
        let next =
            base.map { "register its base model, \(QuotedText.plain($0, atMost: 100))" } ?? "register its base model"
        return .unsupportedArtifact(
            "The repository has an adapter (LoRA) and no model: \(next), and load the adapter on the endpoint.")
    }

    /// What to send to get one of the choices, as the end of a message; empty without one.
    static func hint(filename: String?) -> String {
        filename.map { " For example: \"filename\": \"\(QuotedText.plain($0, atMost: 200))\" (--filename)." } ?? ""
    }

    static func hint(quantization: String?) -> String {
        quantization.map { " For example: \"quantization\": \"\(QuotedText.plain($0, atMost: 40))\" (--quantization)." }
            ?? ""
    }

    static func ambiguousArtifact(_ reason: String) -> Rejection { registration("ambiguous_artifact", reason, nil) }

    static func missingMetadata(_ reason: String) -> Rejection { registration("missing_metadata", reason, nil) }

    static func incompleteShards(_ reason: String) -> Rejection { registration("incomplete_shards", reason, nil) }

    static func noArtifact(_ reason: String) -> Rejection { registration("no_artifact", reason, nil) }

    static func gatedRepository(_ reason: String) -> Rejection {
        Rejection(status: 403, APIError(type: "permission_error", code: "gated_repository", message: reason))
    }

    static func repositoryNotFound(_ reason: String) -> Rejection {
        Rejection(
            status: 404, APIError(type: "not_found_error", code: "repository_not_found", message: reason, param: "repo")
        )
    }

    static func revisionNotFound(_ reason: String) -> Rejection {
        Rejection(
            status: 404,
            APIError(type: "not_found_error", code: "revision_not_found", message: reason, param: "revision"))
    }

    static func hubRateLimited(retryAfter: Int?) -> Rejection {
        let wait = retryAfter.map { "in \($0) s" } ?? "later"
        return Rejection(
            status: 429,
            APIError(
                type: "rate_limit_error", code: "hub_rate_limited",
                message: "The Hub limits how often it is asked: try again \(wait). A token (HF_TOKEN) raises the limit."
            ),
            retryAfter: retryAfter)
    }

    static func hubError(_ reason: String) -> Rejection {
        Rejection(status: 502, APIError(type: "upstream_error", code: "hub_error", message: reason))
    }

    /// A file that the Hub has and that is not read: for some files there is another way.
    static let hubFileTooLarge = hubError("The Hub's answer is larger than is read.")
    static let hubStorageRefuses = hubError("The Hub's file storage refuses a file that the Hub lists.")
    static let hubRedirectsAway = hubError("The Hub redirects to another place, which is not followed.")

    /// Whether the Hub will not hand a file out, however often it is asked.
    var isOfFile: Bool { [.hubFileTooLarge, .hubStorageRefuses, .hubRedirectsAway].contains(self) || status == 404 }

    static let hubTimeout = Rejection(
        status: 504,
        APIError(
            type: "upstream_error", code: "hub_timeout", message: "The Hub did not answer in time: try again later."))

    /// The registrar is stopping, or whoever asked has gone away.
    static let hubLookupCancelled = Rejection(
        status: 503,
        APIError(
            type: "service_unavailable", code: "registrar_stopping",
            message: "The registrar stopped while it was asking the Hub: send the request again."))

    static func registration(_ code: String, _ message: String, _ param: String?) -> Rejection {
        .invalid(APIError(type: "invalid_request_error", code: code, message: message, param: param))
    }
}
