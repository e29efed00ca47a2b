import AMQP
import Catalog
import HTTPTypes

/// `/v0/endpoints` and what is below it.
struct EndpointRoutes: Sendable {
    let catalog: any CatalogSource
    let sender: any CommandSender
    let writes: WriteCoordinator
    /// nil: no key can be sealed.
    let keyRing: KeyRing?
    let limits: GatewayLimits
    private let cache = EndpointListCache()

    init(
        catalog: any CatalogSource, sender: any CommandSender, writes: WriteCoordinator, keyRing: KeyRing?,
        limits: GatewayLimits
    ) {
        self.catalog = catalog
        self.sender = sender
        self.writes = writes
        self.keyRing = keyRing
        self.limits = limits
    }

    /// `?state=&kind=&label=`; a label is `name` or `name=value`, given more than once all must match.
    func list(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        let filter = try EndpointFilter(Query(call.request.query))
        let endpoints = catalog.read { $0.endpoints }
        return Response(json: cache.body(endpoints, for: call.caller, isListed: filter.matches))
    }

    func get(_ call: RouteCall) throws(HTTPFailure) -> Response {
        try catalog.checkReady()
        let answer = EndpointAnswer(try endpoint(call["endpoint"]), for: call.caller)
        return Response(json: answer.encoded(listsModels: true))
    }

    func create(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.json(of: call.request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(NewEndpointBody.self, from: bytes)
        let intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        let id = intent.endpointID
        let draft = EndpointDraft(
            id: id, name: body.name, baseURL: body.baseURL, kind: body.kind, labels: body.labels,
            pollIntervalSeconds: body.pollIntervalSeconds, maxConcurrency: body.maxConcurrency,
            sealedAPIKey: try body.apiKey.map { try seal($0, for: id) })
        let outcome = try await writes.perform(intent, .createEndpoint(draft), logger: call.logger)
        return try outcome.response { operation in
            let view = try endpoint(operation.result ?? id)
            return Response(
                json: EndpointAnswer(view).encoded(), status: .created,
                headers: [.location: "/v0/endpoints/\(view.record.id)"])
        }
    }

    func update(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.json(of: call.request, limit: limits.bodyBytes)
        let body = try FieldReader.decode(EndpointChangeBody.self, from: bytes)
        let intent = try WriteIntent(call, body: bytes, keyRing: keyRing)
        let id = try await target(call["endpoint"], of: intent)
        var change = body.change
        switch body.apiKey {
        case .missing: break
        case .null: change.sealedAPIKey = .clear
        case .value(let key): change.sealedAPIKey = .set(try seal(key, for: id))
        }
        let outcome = try await writes.perform(intent, .updateEndpoint(id: id, change), logger: call.logger)
        return try outcome.response { operation in
            Response(json: EndpointAnswer(try endpoint(operation.result ?? id)).encoded())
        }
    }

    func delete(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let intent = try WriteIntent(call, keyRing: keyRing)
        let id = try await target(call["endpoint"], of: intent)
        let outcome = try await writes.perform(intent, .deleteEndpoint(id: id), logger: call.logger)
        return try outcome.response { _ in Response(status: .noContent) }
    }

    private func endpoint(_ idOrName: String) throws(HTTPFailure) -> EndpointView {
        guard let view = catalog.endpoint(idOrName) else {
            throw .notFound(
                "endpoint_not_found",
                "There is no endpoint with this id or name. GET /v0/endpoints lists the endpoints.")
        }
        return view
    }

    /// The id of the endpoint to write to. Throws 404 if there is none.
    ///
    /// Under an `Idempotency-Key` the registrar decides whether there is one: a repeat of a write that removed or renamed
    /// the endpoint must get the same answer as the first time. But the registrar knows endpoints by their ids. It would
    /// answer a name with 404, and keep that answer for the key. So a name that another gateway has just made is waited
    /// for, and if this gateway does not follow the catalog at the moment, nothing is sent: 503.
    private func target(_ idOrName: String, of intent: WriteIntent) async throws(HTTPFailure) -> String {
        if let view = catalog.endpoint(idOrName) { return view.record.id }
        guard intent.hasKey else { return try endpoint(idOrName).record.id }
        guard Self.isName(idOrName) else { return idOrName }
        let command = intent.commandID
        let known = await catalog.wait(timeout: limits.unknownName) { catalog -> String? in
            // A repeat of a write whose outcome is known: the endpoint may be gone for good.
            if catalog.operation(id: command) != nil { return idOrName }
            return catalog.endpoint(idOrName: idOrName)?.record.id
        }
        if let known { return known }
        guard catalog.view.readiness.isCurrent else {
            throw .unavailable(
                "catalog_not_current",
                "This gateway knows no endpoint of this name, and is cut off from the catalog: it may have missed one. "
                    + "Try again, or use the endpoint's id.", retryAfter: 2)
        }
        return idOrName
    }

    /// Nothing that looks like an id is a name.
    private static func isName(_ text: String) -> Bool {
        do {
            try EndpointRules.checkName(text)
            return true
        } catch {
            return false
        }
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
    ///
    /// An `Idempotency-Key` needs no more than its check: polling twice changes nothing.
    func poll(_ call: RouteCall) async throws -> Response {
        try catalog.checkReady()
        let bytes = try RequestBody.optionalJSON(of: call.request, limit: limits.bodyBytes)
        if !bytes.isEmpty { _ = try FieldReader.decode(EmptyBody.self, from: bytes) }
        try WriteIntent.idempotencyKey(call.request.headers)
        let view = try endpoint(call["endpoint"])
        let id = view.record.id
        // Ticks of one endpoint only rise, also over generations.
        let before = view.snapshot?.health.tick ?? .min
        try await requestPoll(id)
        let asynchronously = WriteIntent.respondsAsync(call.request.headers)
        let result = await catalog.wait(timeout: asynchronously ? .zero : limits.poll) { catalog -> PollResult? in
            guard let view = catalog.endpoint(id: id) else { return .removed }
            return view.snapshot.map { $0.health.tick > before } == true ? .polled(view) : nil
        }
        switch result {
        case .polled(let view): return Response(json: EndpointAnswer(view).encoded())
        case .removed, nil: return Response(json: EndpointAnswer(try endpoint(id)).encoded(), status: .accepted)
        }
    }

    private func requestPoll(_ id: String) async throws {
        do {
            try await sender.publish(
                .pollRequested(PollRequest(endpoint: id, reason: "client")), timeout: limits.confirm)
        } catch let error as AMQPError {
            throw WriteCoordinator.failure(for: error.code)
        }
    }
}
