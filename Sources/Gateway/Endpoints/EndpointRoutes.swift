import AMQP
import Catalog
import Hummingbird
import Logging

/// `/v0/endpoints` and what is below it.
struct EndpointRoutes: Sendable {
    let catalog: any CatalogSource
    let sender: any CommandSender
    let desk: CommandDesk
    /// nil: no key can be sealed.
    let keyRing: KeyRing?
    let limits: GatewayLimits

    /// `?state=&kind=&label=`; a label is `name` or `name=value`, given more than once all must match.
    func list(_ request: Request, caller: Caller) throws -> Response {
        try catalog.checkReady()
        let filter = try EndpointFilter(Query(request.uri.query))
        let endpoints = catalog.read { $0.endpoints }.filter(filter.matches)
        return try .json(
            EndpointListAnswer(endpoints: endpoints.map { EndpointAnswer($0, for: caller) }, total: endpoints.count))
    }

    func get(_ idOrName: String, caller: Caller) throws -> Response {
        try catalog.checkReady()
        return try .json(EndpointAnswer(try endpoint(idOrName), for: caller, listsModels: true))
    }

    func create(_ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.json(of: request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(NewEndpointBody.self, from: bytes)
        let intent = try WriteIntent(request, body: bytes, caller: caller, keyRing: keyRing)
        let id = intent.endpointID
        let draft = EndpointDraft(
            id: id, name: body.name, baseURL: body.baseURL, kind: body.kind, labels: body.labels,
            pollIntervalSeconds: body.pollIntervalSeconds, maxConcurrency: body.maxConcurrency,
            sealedAPIKey: try body.apiKey.map { try seal($0, for: id) })
        let outcome = try await desk.perform(intent, .createEndpoint(draft), logger: logger)
        return try outcome.response { operation in
            let view = try endpoint(operation.result ?? id)
            return try .json(
                EndpointAnswer(view), status: .created, headers: [.location: "/v0/endpoints/\(view.record.id)"])
        }
    }

    func update(_ idOrName: String, _ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.json(of: request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(EndpointChangeBody.self, from: bytes)
        let intent = try WriteIntent(request, body: bytes, caller: caller, keyRing: keyRing)
        let id = try target(idOrName, of: intent)
        var change = body.change
        switch body.apiKey {
        case .missing: break
        case .null: change.sealedAPIKey = .clear
        case .value(let key): change.sealedAPIKey = .set(try seal(key, for: id))
        }
        let outcome = try await desk.perform(intent, .updateEndpoint(id: id, change), logger: logger)
        return try outcome.response { operation in
            try .json(EndpointAnswer(try endpoint(operation.result ?? id)))
        }
    }

    func delete(_ idOrName: String, _ request: Request, caller: Caller, logger: Logger) async throws -> Response {
        try catalog.checkReady()
        let intent = try WriteIntent(request, body: [], caller: caller, keyRing: keyRing)
        let id = try target(idOrName, of: intent)
        let outcome = try await desk.perform(intent, .deleteEndpoint(id: id), logger: logger)
        return try outcome.response { _ in Response(status: .noContent) }
    }

    private func endpoint(_ idOrName: String) throws(HTTPFailure) -> EndpointView {
        guard let view = catalog.endpoint(idOrName) else {
            throw .notFound("endpoint_not_found", "There is no endpoint with this id or name.")
        }
        return view
    }

    /// The id of the endpoint to write to. Throws 404 where there is none.
    ///
    /// Under an `Idempotency-Key` the registrar decides instead: a repeat of a write that removed or renamed the
    /// endpoint must get the same answer as the first time.
    private func target(_ idOrName: String, of intent: WriteIntent) throws(HTTPFailure) -> String {
        if let view = catalog.endpoint(idOrName) { return view.record.id }
        if intent.hasKey { return idOrName }
        return try endpoint(idOrName).record.id
    }

    private func seal(_ key: String, for endpoint: String) throws -> String {
        guard let keyRing else {
            throw HTTPFailure.badRequest(
                "secret_key_missing",
                "This gateway has no ROLLCALL_SECRET_KEY to seal an api_key with; set it, on the pollers as well.",
                param: "api_key")
        }
        return try keyRing.seal(key, for: endpoint)
    }
}

extension EndpointRoutes {
    private enum PollResult: Sendable {
        case polled(EndpointView)
        case removed
    }

    /// 200 with the record once a poll was made after this request came; 202 with the record as it is after
    /// `limits.poll`, or at once with `Prefer: respond-async`. There is no operation: the record's `last_polled_at` says.
    func poll(_ idOrName: String, _ request: Request) async throws -> Response {
        try catalog.checkReady()
        let bytes = try await RequestBytes.optionalJSON(of: request, limit: limits.bodyBytes)
        if !bytes.isEmpty { _ = try FieldReader.decode(EmptyBody.self, from: bytes) }
        let view = try endpoint(idOrName)
        let id = view.record.id
        // Ticks of one endpoint only rise, also over generations.
        let before = view.snapshot?.health.tick ?? .min
        try await requestPoll(id)
        let asynchronously = WriteIntent.respondsAsync(request.headers)
        let result = await catalog.wait(timeout: asynchronously ? .zero : limits.poll) { catalog -> PollResult? in
            guard let view = catalog.endpoint(id: id) else { return .removed }
            return view.snapshot.map { $0.health.tick > before } == true ? .polled(view) : nil
        }
        switch result {
        case .polled(let view): return try .json(EndpointAnswer(view))
        case .removed, nil: return try .json(EndpointAnswer(try endpoint(id)), status: .accepted)
        }
    }

    private func requestPoll(_ id: String) async throws {
        do {
            try await sender.publish(
                .pollRequested(PollRequest(endpoint: id, reason: "client")), timeout: limits.confirm)
        } catch let error as AMQPError {
            throw CommandDesk.failure(for: error.code)
        }
    }
}

/// A body that says nothing: `{}`.
struct EmptyBody: Decodable {
    init(from decoder: any Decoder) throws { _ = try FieldReader(decoder, fields: []) }
}
