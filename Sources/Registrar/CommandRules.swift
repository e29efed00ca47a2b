import Catalog
import FoundationEssentials

/// Why a command changes nothing: the answer that its sender gets.
struct Rejection: Error, Sendable, Hashable {
    /// HTTP status.
    let status: Int
    let error: APIError
    /// Seconds after which it may be tried again, where somebody said so.
    var retryAfter: Int?

    init(status: Int, _ error: APIError, retryAfter: Int? = nil) {
        self.status = status
        self.error = error
        self.retryAfter = retryAfter
    }

    /// A value that does not have the form it must have.
    static func invalid(_ error: APIError) -> Rejection { Rejection(status: 400, error) }

    static let endpointNotFound = Rejection(
        status: 404,
        APIError(
            type: "not_found_error", code: "endpoint_not_found", message: "There is no such endpoint; it may be gone."))

    static let modelNotRegistered = Rejection(
        status: 404,
        APIError(
            type: "not_found_error", code: "model_not_registered",
            message: "No model is registered under this name; GET /v0/models lists all that are."))

    static let keyNotFound = Rejection(
        status: 404,
        APIError(
            type: "not_found_error", code: "key_not_found", message: "There is no such key; it may be revoked already.")
    )

    static func notServed(_ name: String) -> Rejection {
        Rejection(
            status: 503,
            APIError(
                type: "service_unavailable", code: "model_not_available",
                message: "No endpoint that is online serves \(name) now; GET /v0/models/hub says who does."),
            retryAfter: 10)
    }

    static func repositoryRenamed(to repo: String) -> Rejection {
        Rejection(
            status: 409,
            APIError(
                type: "conflict_error", code: "repository_renamed",
                message: "The repository is called \(repo) now: register that one, and remove this one."))
    }

    static func alreadyRegistered(_ name: String) -> Rejection {
        Rejection(
            status: 409,
            APIError(
                type: "conflict_error", code: "already_registered",
                message: "\(name) is registered already: refresh it, or remove it first.", param: "repo"))
    }

    static func nameTaken(_ name: String) -> Rejection {
        Rejection(
            status: 409,
            APIError(
                type: "conflict_error", code: "name_taken",
                message: "Another endpoint is named \(name): choose another name, or change that endpoint.",
                param: "name"))
    }

    static func baseURLTaken(by name: String) -> Rejection {
        Rejection(
            status: 409,
            APIError(
                type: "conflict_error", code: "base_url_taken",
                message: "The endpoint \(name) has this base URL already: change that one, or give another URL.",
                param: "base_url"))
    }

    static let keyReused = Rejection(
        status: 422,
        APIError(
            type: "invalid_request_error", code: "idempotency_key_reused",
            message: "This Idempotency-Key was used for another request: send each request with a key of its own."))

    static let expired = Rejection(
        status: 503,
        APIError(
            type: "service_unavailable", code: "command_expired",
            message:
                "The command reached the registrar after its deadline and was not executed: send it again, with a new Idempotency-Key."
        ))

    /// The outcome of a command that was refused.
    func operation(id: String, at now: Int64) -> Operation {
        Operation(id: id, state: .failed, status: status, error: error, retryAfter: retryAfter, at: now)
    }

    static let malformed = Rejection(
        status: 503,
        APIError(
            type: "service_unavailable", code: "command_malformed",
            message:
                "The registrar does not understand this command and has set it aside: gateway and registrar may be of different versions."
        ))

    static let unreadable = Rejection(
        status: 503,
        APIError(
            type: "service_unavailable", code: "command_failed",
            message: "The registrar cannot read this record from its database; its log says why."))

    static let undeliverable = Rejection(
        status: 503,
        APIError(
            type: "service_unavailable", code: "command_failed",
            message: "The registrar could not execute this command and has set it aside; its log says why."))
}

/// The form of what commands carry, checked once more: the gateway that sent them may be of another version.
enum CommandRules {
    /// A new endpoint's record, with `revision` as its first generation.
    static func record(
        from draft: EndpointDraft, revision: Int64, createdAt: Int64
    ) throws(Rejection) -> EndpointRecord {
        guard UUID(uuidString: draft.id) != nil, draft.id == draft.id.lowercased() else {
            throw Rejection.malformed
        }
        do {
            try EndpointRules.checkName(draft.name)
            try EndpointRules.checkLabels(draft.labels)
            if let seconds = draft.pollIntervalSeconds { try EndpointRules.checkPollInterval(seconds) }
            if let value = draft.maxConcurrency { try EndpointRules.checkMaxConcurrency(value) }
            return EndpointRecord(
                id: draft.id, name: draft.name, baseURL: try EndpointRules.normalizedBaseURL(draft.baseURL),
                kind: draft.kind, labels: draft.labels, pollIntervalSeconds: draft.pollIntervalSeconds,
                maxConcurrency: draft.maxConcurrency, sealedAPIKey: draft.sealedAPIKey, generation: revision,
                revision: revision, createdAt: createdAt)
        } catch {
            throw Rejection.invalid(error)
        }
    }

    /// A new key's record.
    static func record(from draft: KeyDraft, revision: Int64, createdAt: Int64) throws(Rejection) -> KeyRecord {
        guard UUID(uuidString: draft.id) != nil, draft.id == draft.id.lowercased(), draft.digest.utf8.count == 64,
            draft.digest.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { throw Rejection.malformed }
        do {
            try KeyRules.check(name: draft.name, scopes: draft.scopes, models: draft.models)
        } catch {
            throw Rejection.invalid(error)
        }
        return KeyRecord(
            id: draft.id, name: draft.name, digest: draft.digest, scopes: draft.scopes, models: draft.models,
            expiresAt: draft.expiresAt, revision: revision, createdAt: createdAt)
    }

    /// `record` with `change` applied, without a new revision or generation.
    ///
    /// A key is never sent to a place that it was not given for: where the base URL moves to another origin (scheme,
    /// host, or port) and the change says nothing of the key, the key is dropped, and has to be given again.
    static func changed(_ record: EndpointRecord, by change: EndpointChange) throws(Rejection) -> EndpointRecord {
        var new = record
        do {
            if let name = change.name {
                try EndpointRules.checkName(name)
                new.name = name
            }
            if let url = change.baseURL { new.baseURL = try EndpointRules.normalizedBaseURL(url) }
            if let labels = change.labels {
                try EndpointRules.checkLabels(labels)
                new.labels = labels
            }
            if case .set(let seconds) = change.pollIntervalSeconds { try EndpointRules.checkPollInterval(seconds) }
            if case .set(let value) = change.maxConcurrency { try EndpointRules.checkMaxConcurrency(value) }
        } catch {
            throw Rejection.invalid(error)
        }
        new.kind = change.kind ?? new.kind
        new.draining = change.draining ?? new.draining
        new.pollIntervalSeconds = applied(change.pollIntervalSeconds, to: new.pollIntervalSeconds)
        new.maxConcurrency = applied(change.maxConcurrency, to: new.maxConcurrency)
        if origin(of: new.baseURL) != origin(of: record.baseURL) { new.sealedAPIKey = nil }
        new.sealedAPIKey = applied(change.sealedAPIKey, to: new.sealedAPIKey)
        return new
    }

    /// Whether what was polled of `old` says nothing of `new`.
    static func needsNewGeneration(_ old: EndpointRecord, _ new: EndpointRecord) -> Bool {
        old.baseURL != new.baseURL || old.kind != new.kind || old.sealedAPIKey != new.sealedAPIKey
    }

    private static func applied<Value>(_ setting: EndpointChange.Setting<Value>?, to value: Value?) -> Value? {
        switch setting {
        case nil: value
        case .clear: nil
        case .set(let new): new
        }
    }

    /// Scheme, host, and port of a normalised URL: all before the path.
    private static func origin(of url: String) -> Substring {
        guard let scheme = url.firstRange(of: "://") else { return url[...] }
        let end = url[scheme.upperBound...].firstIndex(of: "/") ?? url.endIndex
        return url[..<end]
    }
}
