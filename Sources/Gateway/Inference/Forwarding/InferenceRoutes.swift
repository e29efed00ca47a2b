import Catalog
import Curl
import HTTPTypes
import Hummingbird
import Logging

/// Inference through the gateway: finds the model in a request, an endpoint for it, and sends the request on.
struct InferenceRoutes: Sendable {
    let catalog: any CatalogSource
    let dispatcher: Dispatcher
    let client: HTTPClient
    let suspects: SuspectReporter
    /// nil: endpoints that need a key cannot be used.
    let keyRing: KeyRing?
    let limits: InferenceLimits
    let models: ModelRoutes
    let drain: Drain

    /// The endpoint's answer, as it comes. `connection` is nil only where there is none to watch.
    func answer(
        _ request: Request, _ path: InferencePath, caller: Caller, requestID: String, connection: ClientConnection?,
        logger: Logger
    ) async throws -> Response {
        try catalog.checkReady()
        do {
            let body = try await InferenceBodyReader(limits: limits).read(request, for: path)
            // A model that the caller does not see is answered like one that is not there.
            guard caller.allows(model: ModelID(body.model)) else { throw ModelResolver.unknown }
            let session = drain.session()
            connection?.whenGone { [weak session] in session?.cancel() }
            let forwarding = Forwarding(
                routes: self, body: body, request: request, path: path, requestID: requestID, session: session,
                logger: logger)
            var response = try await forwarding.run()
            response.headers[.modelsETag] = models.etag(for: caller)
            return response
        } catch var failure as HTTPFailure {
            if failure.headers[.connection] == "close" { connection?.closeSoon() }
            failure.headers[.modelsETag] = models.etag(for: caller)
            throw failure
        }
    }
}

/// One request on its way to an endpoint, or to one after another.
struct Forwarding: Sendable {
    let routes: InferenceRoutes
    let body: InferenceBody
    let path: InferencePath
    let query: String?
    let headers: HTTPFields
    let requestID: String
    let session: InferenceSession
    let logger: Logger
    private let deadline: ContinuousClock.Instant

    init(
        routes: InferenceRoutes, body: InferenceBody, request: Request, path: InferencePath, requestID: String,
        session: InferenceSession, logger: Logger
    ) {
        self.routes = routes
        self.body = body
        self.path = path
        query = request.uri.query
        headers = request.headers
        self.requestID = requestID
        self.session = session
        self.logger = logger
        deadline = .now + routes.limits.firstByte
    }

    /// What one endpoint gave.
    private enum Outcome {
        case answer(HTTPResponseStream, sent: ContinuousClock.Instant)
        /// No answer, and another endpoint may be asked.
        case failed(HTTPFailure)
    }

    /// Ends early when the client goes away.
    func run() async throws -> Response {
        do {
            return try await forward()
        } catch is CancellationError {
            throw session.end == .stopping ? HTTPFailure.stopping : Self.clientGone
        }
    }

    private func forward() async throws -> Response {
        var wish = wish
        guard var place = try await routes.dispatcher.place(for: wish) else { throw Self.unreachable }
        var tries = 1
        while true {
            wish.excluded.insert(place.target.endpoint.id)
            switch try await ask(place.target) {
            case .answer(let stream, let sent):
                if tries < routes.limits.tries, Self.isOutage(stream.status),
                    let next = routes.dispatcher.placeAtOnce(for: wish)
                {
                    stream.cancel()
                    place = next
                    break
                }
                return response(stream, place, sent: sent)
            case .failed(let failure):
                place.release()
                guard tries < routes.limits.tries, ContinuousClock.now < deadline,
                    let next = try await another(wish)
                else { throw failure }
                place = next
            }
            tries += 1
        }
    }

    private var wish: Dispatcher.Wish {
        let resolver = ModelResolver(catalog: routes.catalog)
        let model = body.model
        return Dispatcher.Wish(
            targets: { () throws(HTTPFailure) in try resolver.targets(for: model) },
            sticky: body.cacheKey ?? headers[.sessionID] ?? body.user, session: session)
    }

    /// The next place after a failure; nil where none is to be had, so that the failure itself is answered.
    private func another(_ wish: Dispatcher.Wish) async throws -> Place? {
        do {
            return try await routes.dispatcher.place(for: wish)
        } catch is HTTPFailure {
            return nil
        }
    }

    /// The server's own load balancers and proxies answer so where there is nobody behind them.
    private static func isOutage(_ status: Int) -> Bool { status == 502 || status == 503 || status == 504 }

    private func ask(_ target: InferenceTarget) async throws -> Outcome {
        let request: Curl.HTTPRequest
        do {
            request = try upstreamRequest(target)
        } catch {
            logger.error(
                "An endpoint's key cannot be used",
                metadata: [LogKey.endpoint: "\(target.endpoint.name)", LogKey.error: "\(error)"])
            return .failed(Self.unreachable)
        }
        let sent = ContinuousClock.now
        do {
            let stream = try await routes.client.stream(request) { [session] cancel in session.onCancel(cancel) }
            return .answer(stream, sent: sent)
        } catch {
            return try failed(error, target)
        }
    }

    private func failed(_ error: Curl.HTTPError, _ target: InferenceTarget) throws -> Outcome {
        if error.code == .cancelled { throw CancellationError() }
        logger.warning(
            "An endpoint gave no answer",
            metadata: [LogKey.endpoint: "\(target.endpoint.name)", LogKey.error: "\(error)"])
        switch error.code {
        case .timeout: throw Self.timedOut
        case .connect, .connectTimeout, .resolve, .tls, .reset:
            routes.dispatcher.suspect(target.endpoint.id)
            routes.suspects.report(target.endpoint.id, reason: "\(error.code)")
        default: break
        }
        return .failed(Self.unreachable)
    }

    private func upstreamRequest(_ target: InferenceTarget) throws -> Curl.HTTPRequest {
        let endpoint = target.endpoint
        let key = try endpoint.sealedAPIKey.map { sealed in
            guard let keyRing = routes.keyRing else { throw SecretKeyMissing() }
            return try keyRing.unseal(sealed, for: endpoint.id)
        }
        var request = Curl.HTTPRequest(url: endpoint.baseURL + path.path + (query.map { "?\($0)" } ?? ""))
        request.method = "POST"
        request.headers = ForwardedHeaders.request(headers, requestID: requestID, key: key)
        request.body = body.body(naming: target.model).requestBody
        request.connectTimeout = routes.limits.connect
        request.totalTimeout = nil
        request.firstByteTimeout = max(.milliseconds(1), deadline - .now)
        request.idleTimeout = routes.limits.idle
        request.maximumBodyBytes = .max
        request.decodesContent = false
        return request
    }

    private func response(_ stream: HTTPResponseStream, _ place: Place, sent: ContinuousClock.Instant) -> Response {
        session.onCancel { stream.cancel() }
        var fields = ForwardedHeaders.response(stream.headers)
        fields[.rollcallEndpoint] = place.target.endpoint.name
        let relay = AnswerRelay(
            stream: stream, place: place, sent: sent, dispatcher: routes.dispatcher, session: session, logger: logger)
        let status = HTTPTypes.HTTPResponse.Status(code: stream.status)
        if let whole = relay.whole() { return Response(status: status, headers: fields, body: whole) }
        return Response(
            status: status, headers: fields, body: ResponseBody { writer in try await relay.write(to: &writer) })
    }

    // MARK: Answers of our own

    static let unreachable = HTTPFailure(
        .badGateway, code: "upstream_unreachable",
        "No endpoint of this model could be reached. The request may be sent again.")
    static let timedOut = HTTPFailure(
        status: .gatewayTimeout,
        error: APIError(
            type: "upstream_error", code: "upstream_timeout",
            message: "The endpoint did not begin to answer in time."))
    /// Nobody reads it.
    static let clientGone = HTTPFailure(
        HTTPTypes.HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"), code: "client_gone",
        "The client closed the connection.")
}

/// An endpoint's key is sealed, and this gateway has no ROLLCALL_SECRET_KEY.
private struct SecretKeyMissing: Error, CustomStringConvertible {
    var description: String { "ROLLCALL_SECRET_KEY is not set" }
}
