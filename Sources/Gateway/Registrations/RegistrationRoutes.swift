import Catalog
import HTTPTypes
import Logging

/// `/v0/models` and what is below it: registered models of the Hugging Face Hub. No route asks the Hub; the registrar
/// does, and what it found comes with the catalog.
struct RegistrationRoutes: Sendable {
    let catalog: any CatalogSource
    let writes: WriteCoordinator
    let keyRing: KeyRing?
    let limits: GatewayLimits
    private let records = RegistrationListCache(.record)
    private let live = RegistrationListCache(.live)

    func list(_ call: RouteCall) throws(HTTPFailure) -> Response { try list(from: records, call) }

    /// Each with its live state.
    func hub(_ call: RouteCall) throws(HTTPFailure) -> Response { try list(from: live, call) }

    func get(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        return Response(json: try registration(call.registration, call.caller).encoded(.whole))
    }

    /// The files to download; 304 if the client has them already.
    func manifest(_ call: RouteCall) throws -> Response {
        try catalog.checkReady()
        let manifest = try registration(call.registration, call.caller).view.record.manifest
        // The digest is of the manifest's own bytes, so it is as strong as a tag can be.
        let tag = "\"\(manifest.digest)\""
        if let condition = call.request.headers[.ifNoneMatch], EntityTag.matches(tag, condition: condition) {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        return try .json(manifest, headers: [.eTag: tag])
    }

    func register(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.json(of: call.request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(RegistrationBody.self, from: bytes)
        guard try !isDryRun(call) else { return try await preview(body.request, bytes, call) }
        let intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        let outcome = try await writes.perform(intent, .registerModel(body.request), logger: call.logger)
        return try outcome.response { operation in
            let answer = try registration(operation.result ?? "")
            return Response(
                json: answer.encoded(.whole), status: .created,
                headers: [.location: "/v0/models/\(answer.view.record.name)"])
        }
    }

    /// `?dry_run=true`: 200 with what would be registered; nothing is.
    private func preview(
        _ request: RegistrationRequest, _ body: [UInt8], _ call: RouteCall
    ) async throws -> Response {
        // Under one `Idempotency-Key` a dry run and the registration after it are two requests.
        let intent = try WriteIntent(call, body: body + Array("\ndry_run".utf8), keyRing: keyRing)
        let outcome = try await writes.perform(intent, .previewModel(request), logger: call.logger)
        return try outcome.response { operation in
            guard let preview = operation.preview else { throw HTTPFailure.registrarTooOld }
            return Response(json: catalog.read { PreviewAnswer(preview, in: $0) }.encoded())
        }
    }

    private func isDryRun(_ call: RouteCall) throws(HTTPFailure) -> Bool {
        guard let text = call.request.query else { return false }
        switch try Query(text).first("dry_run") {
        case nil, "false", "0": return false
        case "true", "1": return true
        default: throw .badRequest("invalid_dry_run", "dry_run is true or false.", param: "dry_run")
        }
    }

    func delete(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let intent = try WriteIntent(call, keyRing: keyRing)
        let target = try target(call.registration, of: intent)
        let outcome = try await writes.perform(intent, .deleteModel(name: target), logger: call.logger)
        return try outcome.response { _ in Response(status: .noContent) }
    }

    /// Looks at the repository again; 200 with the record, whose `drift` says what has changed there.
    func refresh(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.optionalJSON(of: call.request, limit: limits.bodyBytes)
        let body = bytes.isEmpty ? RefreshBody() : try FieldReader.decode(RefreshBody.self, from: bytes)
        let intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        let target = try target(call.registration, of: intent)
        return try await changed(
            target, intent, .refreshModel(name: target, isApplied: body.isApplied), logger: call.logger)
    }

    /// Has every endpoint that serves it generate a token or two; 200 with the record, whose `verification` says more.
    func verify(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.optionalJSON(of: call.request, limit: limits.bodyBytes)
        if !bytes.isEmpty { _ = try FieldReader.decode(EmptyBody.self, from: bytes) }
        let intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        let target = try target(call.registration, of: intent)
        return try await changed(target, intent, .verifyModel(name: target), logger: call.logger)
    }

    private func changed(
        _ name: String, _ intent: WriteIntent, _ action: Command.Action, logger: Logger
    ) async throws -> Response {
        let outcome = try await writes.perform(intent, action, logger: logger)
        return try outcome.response { operation in
            Response(json: try registration(operation.result ?? name).encoded(.whole))
        }
    }

    private func list(from cache: RegistrationListCache, _ call: RouteCall) throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        return Response(json: cache.body(catalog, for: call.caller))
    }

    /// Names are registered in lower case, and found in any. A model that the caller may not see is not found. Writes are
    /// made by admins, who see all.
    private func registration(
        _ name: String, _ caller: Caller = .admin
    ) throws(HTTPFailure) -> RegistrationAnswer {
        let folded = ASCIIFolding.lowercased(name)
        let answer = catalog.read { catalog in
            catalog.registration(named: folded).map { RegistrationAnswer($0, in: catalog) }
        }
        guard let answer, caller.allows(model: ModelID(folded)) else {
            throw .notFound(
                "model_not_registered", "No model is registered under this name; GET /v0/models lists those that are.")
        }
        return answer
    }

    /// The name of the registration to write to. Throws 404 if there is none and the request has no `Idempotency-Key`. With
    /// one the registrar decides: a repeat must get the same answer as the first time.
    private func target(_ name: String, of intent: WriteIntent) throws(HTTPFailure) -> String {
        if !intent.hasKey { return try registration(name).view.record.name }
        return ASCIIFolding.lowercased(name)
    }
}

extension RouteCall {
    /// A registration's name, `org/name`, from a route with `{org}` and `{name}`.
    fileprivate var registration: String { "\(self["org"])/\(self["name"])" }
}
