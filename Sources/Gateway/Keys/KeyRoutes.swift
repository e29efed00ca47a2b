import Catalog
import HTTPTypes
import JSON
import Logging

/// `/v0/keys`: API keys are made here, shown once, and known by their digests from then on.
struct KeyRoutes: Sendable {
    let catalog: any CatalogSource
    let writes: WriteCoordinator
    let keyRing: KeyRing?
    let limits: GatewayLimits
    /// False if the gateway has no admin key: it is open, and keys protect nothing. Said in answers as `enforced`.
    let isEnforced: Bool
    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64

    func list() throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        let keys = catalog.read { $0.keys }
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("enforced", isEnforced)
            writer.field("keys", encoded: keys.map { KeyAnswer(record: $0).encoded() })
            writer.field("total", keys.count)
        }
        return Response(json: writer.bytes)
    }

    /// 201 with the key, this once. 409 `key_already_issued` if the command's outcome is that of an earlier request.
    func create(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.json(of: call.request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(KeyBody.self, from: bytes)
        if let expiry = body.expiresAt, expiry <= now() / 1000 {
            throw KeyBody.invalidExpiry("expires_at must be in the future.")
        }
        var intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        // What is shown once must be waited for. A preference may be left unheeded (RFC 7240, section 2).
        intent.respondsAsync = false
        let secret = SecretKey()
        let draft = KeyDraft(
            id: intent.keyID, name: body.name, digest: secret.digest, scopes: body.scopes, models: body.models,
            expiresAt: body.expiresAt)
        let outcome = try await perform(intent, draft, logger: call.logger)
        return try outcome.response { operation in
            guard let record = catalog.read({ $0.key(id: operation.result ?? draft.id) }), record.digest == draft.digest
            else { throw Self.alreadyIssued(draft.id) }
            return Response(
                json: KeyAnswer(record: record, key: secret.text, isEnforced: isEnforced).encoded(), status: .created,
                headers: [.cacheControl: "no-store"])
        }
    }

    func revoke(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let intent = try WriteIntent(call, keyRing: keyRing)
        let id = call["key"].lowercased()
        // Under an `Idempotency-Key` the registrar decides: a repeat must get the same answer as the first time.
        guard intent.hasKey || catalog.read({ $0.key(id: id) }) != nil else {
            throw HTTPFailure.notFound(
                "key_not_found", "There is no key with this id; it may be revoked already. GET /v0/keys lists the keys."
            )
        }
        let outcome = try await writes.perform(intent, .revokeKey(id: id), logger: call.logger)
        return try outcome.response { _ in Response(status: .noContent) }
    }

    /// Sends the command. Throws 503 `outcome_unknown` also if the outcome has not come in time: the key is lost then,
    /// whether it will be made or not.
    private func perform(
        _ intent: WriteIntent, _ draft: KeyDraft, logger: Logger
    ) async throws -> WriteCoordinator.Outcome {
        let outcome: WriteCoordinator.Outcome
        do {
            outcome = try await writes.perform(intent, .createKey(draft), logger: logger)
        } catch let failure as HTTPFailure where failure.error.code == "outcome_unknown" {
            throw Self.outcomeUnknown(draft.id)
        }
        if case .accepted = outcome { throw Self.outcomeUnknown(draft.id) }
        return outcome
    }

    private static func outcomeUnknown(_ id: String) -> HTTPFailure {
        .unavailable(
            "outcome_unknown",
            "The key may or may not have been made, and cannot be shown any more. If GET /v0/keys lists \(id), revoke it, "
                + "and make another one.", retryAfter: 2)
    }

    private static func alreadyIssued(_ id: String) -> HTTPFailure {
        HTTPFailure(
            .conflict, code: "key_already_issued",
            "A key (\(id)) was made by an earlier request with this Idempotency-Key, and is shown only once. If it is "
                + "lost, revoke it and make another one under a new Idempotency-Key.")
    }
}
