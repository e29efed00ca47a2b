import Catalog
import FoundationEssentials
import HTTPTypes
import Logging

extension GatewayResponder {
    /// Composes the routes.
    ///
    /// - Parameters:
    ///   - isStopping: whether the gateway has been asked to stop, and is not ready any more
    ///   - now: milliseconds since 1970
    ///   - time: the registrar's clock; nil for one that nobody tells anything
    convenience init(
        catalog: any CatalogSource, sender: any CommandSender, access: AccessPolicy, keyRing: KeyRing?,
        limits: GatewayLimits = GatewayLimits(), isStopping: @escaping @Sendable () -> Bool = { false },
        now: @escaping @Sendable () -> Int64 = GatewayResponder.milliseconds, time: RegistrarTime? = nil,
        logger: Logger
    ) {
        let time = time ?? RegistrarTime(clock: now, logger: logger)
        let writes = WriteCoordinator(catalog: catalog, sender: sender, limits: limits, time: time)
        let lists = ModelListCache()
        self.init(
            routes: RouteTable(
                health: HealthRoutes(catalog: catalog, sender: sender, isStopping: isStopping),
                models: ModelRoutes(catalog: catalog, lists: lists),
                endpoints: EndpointRoutes(
                    catalog: catalog, sender: sender, writes: writes, keyRing: keyRing, limits: limits),
                registrations: RegistrationRoutes(catalog: catalog, writes: writes, keyRing: keyRing, limits: limits),
                keys: KeyRoutes(
                    catalog: catalog, writes: writes, keyRing: keyRing, limits: limits,
                    isEnforced: access.adminKey != nil, now: now),
                operations: OperationRoutes(catalog: catalog),
                ollama: OllamaRoutes(catalog: catalog, lists: lists, limits: limits)),
            access: AccessRules(access, catalog: catalog, now: now),
            cors: access.cors, catalog: catalog, lists: lists, limits: limits, logger: logger)
    }
}

extension GatewayResponder {
    /// The wall clock in milliseconds since 1970.
    static let milliseconds: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
}

extension RouteTable {
    /// Every route of the gateway: method, path, whom it is for, and what answers it.
    init(
        health: HealthRoutes, models: ModelRoutes, endpoints: EndpointRoutes, registrations: RegistrationRoutes,
        keys: KeyRoutes, operations: OperationRoutes, ollama: OllamaRoutes
    ) {
        self.init([
            Route(.get, "/healthz", .open, .loop { _ in health.health() }),
            Route(.get, "/readyz", .open, .loop { _ in health.readiness() }),

            Route(.get, "/v1/models", .read(.models), .versioned(models.list)),
            Route(.get, "/v1/models/{id...}", .read(.models), .versioned(models.entry)),

            Route(.get, "/v0/endpoints", .read(.endpointsRead), .task(endpoints.list)),
            Route(.post, "/v0/endpoints", .write, .task(endpoints.create)),
            Route(.get, "/v0/endpoints/{endpoint}", .read(.endpointsRead), .task(endpoints.get)),
            Route(.patch, "/v0/endpoints/{endpoint}", .write, .task(endpoints.update)),
            Route(.delete, "/v0/endpoints/{endpoint}", .write, .task(endpoints.delete)),
            Route(.post, "/v0/endpoints/{endpoint}/poll", .write, .task(endpoints.poll)),

            // A registration's name has exactly one slash, so the number of segments tells it from the routes' own words.
            Route(.get, "/v0/models", .read(.models), .task(registrations.list)),
            Route(.get, "/v0/models/hub", .read(.models), .task(registrations.hub)),
            Route(.post, "/v0/models/register", .write, .task(registrations.register)),
            Route(
                .get, "/v0/models/registry/{org}/{name}/manifest.json", .read(.models), .task(registrations.manifest)),
            Route(.get, "/v0/models/{org}/{name}", .read(.models), .task(registrations.get)),
            Route(.delete, "/v0/models/{org}/{name}", .write, .task(registrations.delete)),
            Route(.post, "/v0/models/{org}/{name}/refresh", .write, .task(registrations.refresh)),
            Route(.post, "/v0/models/{org}/{name}/verify", .write, .task(registrations.verify)),

            Route(.get, "/v0/keys", .read(.admin), .task { _ in try keys.list() }),
            Route(.post, "/v0/keys", .write, .task(keys.create)),
            Route(.delete, "/v0/keys/{key}", .write, .task(keys.revoke)),
            Route(.get, "/v0/operations/{id}", .read(.models), .task(operations.get)),

            Route(inference: "/v1/chat/completions"),
            Route(inference: "/v1/completions"),
            Route(inference: "/v1/embeddings"),
            Route(inference: "/v1/moderations"),
            Route(inference: "/v1/messages"),
            Route(inference: "/v1/messages/count_tokens"),
            Route(inference: "/v1/rerank"),
            Route(inference: "/v1/reranking"),
            Route(inference: "/v1/score"),
            Route(inference: "/v2/rerank"),
            Route(inference: "/rerank"),
            Route(inference: "/score"),
            Route(inference: "/pooling"),
            Route(inference: "/classify"),
            Route(inference: "/tokenize"),
            Route(inference: "/detokenize"),
            Route(inference: "/v1/audio/{path...}"),
            Route(inference: "/v1/images/{path...}"),
            Route(inference: "/v1/responses"),
            Route(inference: "/v1/responses/compact"),
            Route(.get, inference: "/v1/responses/{id}"),
            Route(.delete, inference: "/v1/responses/{id}"),
            Route(.get, inference: "/v1/responses/{id}/input_items"),
            Route(inference: "/v1/responses/{id}/cancel"),

            Route(.get, "/api/version", .read(.models), .loop { _ in ollama.version() }),
            Route(.get, "/api/tags", .read(.models), .task(ollama.tags)),
            Route(.get, "/api/ps", .read(.models), .task(ollama.loaded)),
            Route(.post, "/api/show", .read(.models), .task(ollama.show)),
            Route(inference: "/api/chat"),
            Route(inference: "/api/generate"),
            Route(inference: "/api/embed"),
            Route(inference: "/api/embeddings"),
            Route(.post, refusing: "/api/pull", ollama.refuseChange),
            Route(.post, refusing: "/api/push", ollama.refuseChange),
            Route(.post, refusing: "/api/create", ollama.refuseChange),
            Route(.post, refusing: "/api/copy", ollama.refuseChange),
            Route(.delete, refusing: "/api/delete", ollama.refuseChange),
            Route(.get, refusing: "/api/blobs/{digest}", ollama.refuseChange),
            Route(.post, refusing: "/api/blobs/{digest}", ollama.refuseChange),
        ])
    }
}

extension Route {
    /// A route of another product's API that is here only to say why it is refused.
    fileprivate init(
        _ method: HTTPRequest.Method, refusing pattern: String,
        _ refuse: @escaping @Sendable (RouteCall) throws(HTTPFailure) -> Response
    ) {
        self.init(method, pattern, .read(.models), .loop(refuse))
        isOffered = false
    }

    /// A path that is the endpoint's path as well. A pattern with placeholders is no such path itself.
    fileprivate init(_ method: HTTPRequest.Method = .post, inference pattern: String) {
        if let path = InferencePath(pattern) {
            self.init(method, pattern, .inference, .inference(path))
        } else {
            self.init(method, pattern, .inference) { path in InferencePath(path).map(Handler.inference) }
        }
    }
}
