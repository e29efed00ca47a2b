import Catalog
import Logging
import NIOCore

/// The route of a request.
final class RouteMatch: Sendable {
    let route: Route
    let handler: Handler
    /// Decoded, without a slash at the end.
    let path: String
    let parameters: PathParameters

    init(route: Route, handler: Handler, path: String, parameters: PathParameters = PathParameters()) {
        self.route = route
        self.handler = handler
        self.path = path
        self.parameters = parameters
    }
}

/// A request whose route and caller are known: what a handler gets.
final class RouteCall: Sendable {
    /// Its body is empty until the server has read it.
    let request: Request
    let match: RouteMatch
    let caller: Caller
    let requestID: String
    /// Set if the time of the request is to be logged.
    let started: ContinuousClock.Instant?
    private let baseLogger: Logger

    init(
        _ request: Request, _ match: RouteMatch, caller: Caller, requestID: String,
        started: ContinuousClock.Instant? = nil, logger: Logger
    ) {
        self.request = request
        self.match = match
        self.caller = caller
        self.requestID = requestID
        self.started = started
        baseLogger = logger
    }

    /// The same call, with the body that has come.
    func with(body: ByteBuffer) -> RouteCall {
        var request = request
        request.body = body
        return RouteCall(
            request, match, caller: caller, requestID: requestID, started: started, logger: baseLogger)
    }

    /// The value of a placeholder of the route's pattern, decoded.
    subscript(parameter: String) -> String { match.parameters[parameter] }

    /// Made anew by each use: a line of it says which request, and which trace, it is about.
    var logger: Logger {
        var logger = baseLogger
        logger[metadataKey: LogKey.requestID] = "\(requestID)"
        if let trace = TraceContext(request.headers) { logger[metadataKey: LogKey.trace] = "\(trace.traceID)" }
        return logger
    }
}
