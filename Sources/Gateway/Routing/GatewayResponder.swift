import Catalog
import Hummingbird
import Logging

/// HTTP in, catalog out: a pure function of its dependencies. One pass for every request: who it is for, who asks,
/// the route, and whatever goes wrong in the one shape of errors.
struct GatewayResponder: HTTPResponder {
    let access: AccessRules
    let models: ModelRoutes
    let endpoints: EndpointRoutes
    let registrations: RegistrationRoutes
    let operations: OperationRoutes
    let keys: KeyRoutes
    let health: HealthRoutes
    let inference: InferenceRoutes
    let drain: Drain
    /// Requests that were answered with 401 or 403.
    let refusals = RefusalCounts()
    let logger: Logger

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        try await response(to: request, on: context.connection)
    }

    /// Throws only where an error itself cannot be encoded.
    func response(to request: Request, on connection: ClientConnection? = nil) async throws -> Response {
        let started = logger.logLevel <= .debug ? ContinuousClock.now : nil
        let requestID = Self.requestID(request)
        var response: Response
        do {
            response = try await TraceContext.$current.withValue(TraceContext(request.headers)) {
                try await answer(request, requestID, connection)
            }
        } catch {
            response = try failure(error, request, requestID).response()
        }
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.requestID] = requestID
        if drain.isStopping { response.headers[.connection] = "close" }
        if let started {
            var metadata = Self.metadata(request, requestID)
            metadata[LogKey.status] = "\(response.status.code)"
            metadata[LogKey.milliseconds] = "\((ContinuousClock.now - started).wholeMilliseconds)"
            logger.debug("Request answered", metadata: metadata)
        }
        return response
    }

    private func answer(
        _ request: Request, _ requestID: String, _ connection: ClientConnection?
    ) async throws -> Response {
        let route = try Route(path: request.uri.path)
        let caller = try access.caller(of: request, for: try route.access(request.method))
        switch route {
        case .models: return try await models.list(request, caller: caller)
        case .model(let id): return try await models.entry(id, request, caller: caller)
        case .health: return try health.health()
        case .readiness: return try health.readiness()
        case .operation(let id): return try operations.get(id)
        case .inference(let path):
            return try await inference.answer(
                request, path, caller: caller, requestID: requestID, connection: connection,
                logger: requestLogger(requestID))
        case .keys, .key: return try await answerKeys(route, request, caller: caller, logger: requestLogger(requestID))
        case .endpoints, .endpoint, .endpointPoll:
            return try await answerEndpoints(route, request, caller: caller, logger: requestLogger(requestID))
        case .registrations, .register, .hub, .registration, .manifest, .registrationRefresh, .registrationVerify:
            return try await answerRegistrations(route, request, caller: caller, logger: requestLogger(requestID))
        }
    }

    private func requestLogger(_ requestID: String) -> Logger {
        var logger = logger
        logger[metadataKey: LogKey.requestID] = "\(requestID)"
        if let trace = TraceContext.current { logger[metadataKey: LogKey.trace] = "\(trace.traceID)" }
        return logger
    }

    private func answerEndpoints(
        _ route: Route, _ request: Request, caller: Caller, logger: Logger
    ) async throws -> Response {
        switch (route, request.method) {
        case (.endpoints, .post): try await endpoints.create(request, caller: caller, logger: logger)
        case (.endpoint(let key), .patch):
            try await endpoints.update(key, request, caller: caller, logger: logger)
        case (.endpoint(let key), .delete):
            try await endpoints.delete(key, request, caller: caller, logger: logger)
        case (.endpointPoll(let key), _): try await endpoints.poll(key, request)
        case (.endpoint(let key), _): try endpoints.get(key, caller: caller)
        default: try endpoints.list(request, caller: caller)
        }
    }

    private func answerRegistrations(
        _ route: Route, _ request: Request, caller: Caller, logger: Logger
    ) async throws -> Response {
        switch (route, request.method) {
        case (.register, _): try await registrations.register(request, caller: caller, logger: logger)
        case (.hub, _): try registrations.hub(caller: caller)
        case (.registration(let name), .delete):
            try await registrations.delete(name, request, caller: caller, logger: logger)
        case (.registration(let name), _): try registrations.get(name, caller: caller)
        case (.manifest(let name), _): try registrations.manifest(name, request, caller: caller)
        case (.registrationRefresh(let name), _):
            try await registrations.refresh(name, request, caller: caller, logger: logger)
        case (.registrationVerify(let name), _):
            try await registrations.verify(name, request, caller: caller, logger: logger)
        default: try registrations.list(caller: caller)
        }
    }

    private func answerKeys(
        _ route: Route, _ request: Request, caller: Caller, logger: Logger
    ) async throws -> Response {
        switch (route, request.method) {
        case (.key(let id), _): try await keys.revoke(id, request, caller: caller, logger: logger)
        case (_, .post): try await keys.create(request, caller: caller, logger: logger)
        default: try keys.list()
        }
    }

    /// An error as it is answered. What no route has foreseen is logged, and answered without details.
    private func failure(_ error: any Error, _ request: Request, _ requestID: String) -> HTTPFailure {
        guard let failure = error as? HTTPFailure else {
            var metadata = Self.metadata(request, requestID)
            metadata[LogKey.error] = "\(error)"
            logger.error("Request failed", metadata: metadata)
            return HTTPFailure(
                .internalServerError, code: "internal_error", "Something went wrong here; the log has the request's id."
            )
        }
        if failure.status == .unauthorized || failure.status == .forbidden {
            var metadata = Self.metadata(request, requestID)
            metadata[LogKey.reason] = "\(failure.error.code)"
            logger.warning("Request refused", metadata: metadata)
            refusals.count(failure.error.code)
        }
        return failure
    }

    /// The path without its query: that may hold anything.
    private static func metadata(_ request: Request, _ requestID: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.requestID: "\(requestID)", LogKey.method: "\(request.method.rawValue)",
            LogKey.path: "\(request.uri.path)",
        ]
        if let trace = TraceContext(request.headers) { metadata[LogKey.trace] = "\(trace.traceID)" }
        return metadata
    }

    private static func requestID(_ request: Request) -> String {
        if let own = request.headers[.requestID], RequestIdentity.isSane(own) { return own }
        return RequestIdentity.make()
    }
}
