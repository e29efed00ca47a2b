import Catalog
import HTTPTypes
import Logging
import NIOCore

/// HTTP in, catalog out: a pure function of its dependencies. One pass for every request: its route, who asks, what the
/// route answers, and whatever goes wrong in the one shape of errors.
final class GatewayResponder: Sendable {
    let routes: RouteTable
    let access: AccessRules
    let cors: CORSPolicy?
    let catalog: any CatalogSource
    /// What `X-Models-Etag` is taken from.
    let lists: ModelListCache
    let limits: GatewayLimits
    let logger: Logger
    private let refusals = LogLimits()

    init(
        routes: RouteTable, access: AccessRules, cors: CORSPolicy?, catalog: any CatalogSource, lists: ModelListCache,
        limits: GatewayLimits, logger: Logger
    ) {
        self.routes = routes
        self.access = access
        self.cors = cors
        self.catalog = catalog
        self.lists = lists
        self.limits = limits
        self.logger = logger
    }

    /// What becomes of a request.
    enum Verdict: Sendable {
        /// Answered. The request's body, if there is one, is not wanted.
        case answer(Response)
        /// To be answered by `answer`, as a task, once the body has been read into the call's request.
        case task(RouteCall)
        /// To be sent on to an endpoint.
        case inference(InferencePath, RouteCall)
    }

    /// The largest body that `answer` takes; `refuse` a longer one with `HTTPFailure.bodyTooLarge`.
    var bodyLimit: Int { limits.bodyBytes }

    /// Decides about a request by its head alone. Waits for nothing, so that event loops can call it.
    func begin(_ request: Request) -> Verdict {
        let started = logger.logLevel <= .debug ? ContinuousClock.now : nil
        let requestID = RequestIdentity.of(request.headers)
        do throws(HTTPFailure) {
            if let preflight = preflight(request, requestID) { return .answer(preflight) }
            let match = try routes.match(request.method, path: request.path)
            do throws(HTTPFailure) {
                let caller = try access.caller(of: request, for: match.route.access)
                let call = RouteCall(
                    request, match, caller: caller, requestID: requestID, started: started, logger: logger)
                return try begin(call)
            } catch {
                return .answer(finished(failed(error, request, requestID), request, requestID, match, started))
            }
        } catch {
            return .answer(finished(failed(error, request, requestID), request, requestID, nil, started))
        }
    }

    /// Answers a call whose request has its body. If the client goes away, cancel the task.
    func answer(_ call: RouteCall) async -> Response {
        do {
            let response = try await TraceContext.$current.withValue(TraceContext(call.request.headers)) {
                try await run(call)
            }
            return finished(response, call)
        } catch {
            return refuse(error, call)
        }
    }

    /// The answer to a call that has failed.
    func refuse(_ error: any Error, _ call: RouteCall) -> Response {
        finished(failed(error, call.request, call.requestID), call)
    }

    /// The answer to a request with its body. Inference, which needs a connection, is 503.
    func response(to request: Request) async -> Response {
        switch begin(request) {
        case .answer(let response): response
        case .task(let call): await answer(call)
        case .inference(_, let call): refuse(HTTPFailure.stopping, call)
        }
    }

    /// Writes what every answer has, for answers that are passed on from an endpoint: `X-Request-Id` and the fields of
    /// CORS.
    func writeFields(for call: RouteCall, into lines: HeadWriter) {
        lines.writeField("X-Request-Id", call.requestID)
        guard let cors else { return }
        var fields = HTTPFields()
        cors.mark(&fields, for: call.request)
        for field in fields { lines.writeField(field.name.rawName, field.value) }
    }
}

extension GatewayResponder {
    private func begin(_ call: RouteCall) throws(HTTPFailure) -> Verdict {
        switch call.match.handler {
        case .loop(let handler): return .answer(finished(try handler(call), call))
        case .versioned(let handler):
            if let wait = try versionWait(call), !wait.isReached(by: catalog.view.version) { return .task(call) }
            return .answer(finished(try handler(call), call))
        case .task:
            try RequestBody.checkLength(of: call.request, limit: bodyLimit)
            return .task(call)
        case .inference(let path):
            if let query = call.request.query { try access.checkNoKey(in: query) }
            return .inference(path, call)
        }
    }

    private func run(_ call: RouteCall) async throws -> Response {
        switch call.match.handler {
        case .loop(let handler): return try handler(call)
        case .versioned(let handler):
            try await versionWait(call)?.end(in: catalog)
            return try handler(call)
        case .task(let handler): return try await handler(call)
        case .inference: throw HTTPFailure.stopping
        }
    }

    private func versionWait(_ call: RouteCall) throws(HTTPFailure) -> VersionWait? {
        guard let query = call.request.query else { return nil }
        return try VersionWait(Query(query))
    }

    /// A browser sends a preflight without the page's key, so it is answered before keys are asked for.
    private func preflight(_ request: Request, _ requestID: String) -> Response? {
        guard request.method == .options, let cors, let allow = routes.allow(path: request.path) else { return nil }
        return cors.preflight(request, allow: allow).map { finished($0, request, requestID, nil, nil) }
    }
}

// MARK: - What every answer has

extension GatewayResponder {
    private func finished(_ response: Response, _ call: RouteCall) -> Response {
        finished(response, call.request, call.requestID, call.match, call.started)
    }

    private func finished(
        _ response: Response, _ request: Request, _ requestID: String, _ match: RouteMatch?,
        _ started: ContinuousClock.Instant?
    ) -> Response {
        var response = response
        response.headers[.requestID] = requestID
        if match?.route.access.scope != nil { response.dependsOnKey() }
        cors?.mark(&response.headers, for: request)
        if response.status.mayHaveBody { response.headers[.contentLength] = String(response.body.readableBytes) }
        if request.method == .head { response.body.clear() }
        if let started {
            var metadata = Self.metadata(request, requestID)
            metadata[LogKey.status] = "\(response.status.code)"
            metadata[LogKey.milliseconds] = "\((ContinuousClock.now - started).wholeMilliseconds)"
            logger.debug("Request answered", metadata: metadata)
        }
        return response
    }

    /// An error as it is answered. An error that no route has foreseen is logged, and answered without details.
    private func failed(_ error: any Error, _ request: Request, _ requestID: String) -> Response {
        guard let failure = error as? HTTPFailure else {
            var metadata = Self.metadata(request, requestID)
            metadata[LogKey.error] = "\(error)"
            logger.error("Request failed", metadata: metadata)
            return Self.answer(
                HTTPFailure(
                    .internalServerError, code: "internal_error",
                    "Something went wrong in the gateway. Its log has this request's X-Request-Id."), to: request)
        }
        // Anybody can make these lines, so there is one for each code in ten seconds.
        if failure.status == .unauthorized || failure.status == .forbidden,
            let leftOut = refusals.admit(failure.error.code)
        {
            var metadata = Self.metadata(request, requestID).merging(leftOut) { $1 }
            metadata[LogKey.reason] = "\(failure.error.code)"
            logger.warning("Request refused", metadata: metadata)
        }
        return Self.answer(failure, to: request)
    }

    private static func answer(_ failure: HTTPFailure, to request: Request) -> Response {
        var response = failure.response(as: ErrorBody.Shape(for: request))
        response.headers.append(HTTPField(name: .vary, value: HTTPField.Name.anthropicVersion.rawName))
        return response
    }

    /// The path without its query: that may hold anything.
    private static func metadata(_ request: Request, _ requestID: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.requestID: "\(requestID)", LogKey.method: "\(request.method.rawValue)",
            LogKey.path: "\(request.path.prefix(200))",
        ]
        if let trace = TraceContext(request.headers) { metadata[LogKey.trace] = "\(trace.traceID)" }
        return metadata
    }
}

extension Response {
    /// Tells caches that another key may get another answer. The rule for `Authorization` (RFC 9111, section 3.5) does not
    /// cover the other headers that a key may come in.
    mutating func dependsOnKey() {
        if headers[.cacheControl] == nil { headers.append(HTTPField(name: .cacheControl, value: "private, no-cache")) }
        headers.append(HTTPField(name: .vary, value: "Authorization, X-API-Key, api-key"))
    }
}

extension HTTPResponse.Status {
    /// RFC 9110, section 8.6: no `Content-Length` with these.
    fileprivate var mayHaveBody: Bool { code >= 200 && code != 204 && code != 304 }
}
