import Catalog
import FoundationEssentials
import Hummingbird
import Logging

/// `/v0/models` and what is below it: registered models of the Hugging Face Hub. No route asks the Hub; the registrar
/// does, and what it found comes with the catalog.
struct RegistrationRoutes: Sendable {
    let catalog: any CatalogSource
    let desk: CommandDesk
    let keyRing: KeyRing?
    let limits: GatewayLimits
    private let records = RegistrationShelf(.record)
    private let live = RegistrationShelf(.live)

    func list(caller: Caller) throws -> Response { try list(on: records, caller) }

    /// Each with its live state.
    func hub(caller: Caller) throws -> Response { try list(on: live, caller) }

    func get(_ name: String, caller: Caller) throws -> Response {
        try catalog.checkReady()
        return Response(json: ByteBuffer(bytes: try registration(name, caller).encoded(.whole)))
    }

    /// The files to download; 304 where the client has them already.
    func manifest(_ name: String, _ request: Request, caller: Caller) throws -> Response {
        try catalog.checkReady()
        let manifest = try registration(name, caller).view.record.manifest
        // The digest is of the manifest's own bytes, so it is as strong as a tag can be.
        let tag = "\"\(manifest.digest)\""
        if let condition = request.headers[.ifNoneMatch], EntityTag.matches(tag, condition: condition) {
            return Response(status: .notModified, headers: [.eTag: tag])
        }
        return try .json(manifest, headers: [.eTag: tag])
    }

    func register(_ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.json(of: request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(RegistrationBody.self, from: bytes)
        let intent = try WriteIntent(request, body: bytes, caller: caller, keyRing: keyRing)
        let outcome = try await desk.perform(intent, .registerModel(body.request), logger: logger)
        return try outcome.response { operation in
            let answer = try registration(operation.result ?? "")
            return Response(
                json: ByteBuffer(bytes: answer.encoded(.whole)), status: .created,
                headers: [.location: "/v0/models/\(answer.view.record.name)"])
        }
    }

    func delete(_ name: String, _ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let intent = try WriteIntent(request, body: [], caller: caller, keyRing: keyRing)
        let target = try target(name, of: intent)
        let outcome = try await desk.perform(intent, .deleteModel(name: target), logger: logger)
        return try outcome.response { _ in Response(status: .noContent) }
    }

    /// Looks at the repository again; 200 with the record, whose `drift` says what has changed there.
    func refresh(_ name: String, _ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.optionalJSON(of: request, limit: limits.bodyBytes)
        let body = bytes.isEmpty ? RefreshBody() : try FieldReader.decode(RefreshBody.self, from: bytes)
        let intent = try WriteIntent(request, body: bytes, caller: caller, keyRing: keyRing)
        let target = try target(name, of: intent)
        return try await changed(
            target, intent, .refreshModel(name: target, isApplied: body.isApplied), logger: logger)
    }

    /// Has every endpoint that serves it generate a token or two; 200 with the record, whose `verification` says more.
    func verify(_ name: String, _ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.optionalJSON(of: request, limit: limits.bodyBytes)
        if !bytes.isEmpty { _ = try FieldReader.decode(EmptyBody.self, from: bytes) }
        let intent = try WriteIntent(request, body: bytes, caller: caller, keyRing: keyRing)
        let target = try target(name, of: intent)
        return try await changed(target, intent, .verifyModel(name: target), logger: logger)
    }

    private func changed(
        _ name: String, _ intent: WriteIntent, _ action: Command.Action, logger: Logger
    ) async throws -> Response {
        let outcome = try await desk.perform(intent, action, logger: logger)
        return try outcome.response { operation in
            Response(json: ByteBuffer(bytes: try registration(operation.result ?? name).encoded(.whole)))
        }
    }

    private func list(on shelf: RegistrationShelf, _ caller: Caller) throws -> Response {
        try catalog.checkReady()
        return Response(json: shelf.body(catalog, for: caller))
    }

    /// Names are registered in lower case, and found in any. What the caller may not see is not found; who writes sees all.
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

    /// The name of the registration to write to. Throws 404 where there is none, without an `Idempotency-Key`: with
    /// one the registrar decides, since a repeat must get the same answer as the first time.
    private func target(_ name: String, of intent: WriteIntent) throws(HTTPFailure) -> String {
        if !intent.hasKey { return try registration(name).view.record.name }
        return ASCIIFolding.lowercased(name)
    }
}
