import HTTPTypes
import Logging
import NIOCore

/// A line for each request (`ROLLCALL_ACCESS_LOG`). The log's own thread writes the lines, so no event loop waits.
///
/// A line has neither the query nor a key: a key is named by its id. What is not known is left out.
struct AccessLog: Sendable {
    private let logger: Logger
    private let routes: RouteTable
    private let access: AccessRules

    init(logger: Logger, responder: GatewayResponder) {
        var logger = logger
        // The setting alone decides, whatever the level of all other lines is.
        logger.logLevel = min(logger.logLevel, .info)
        self.logger = logger
        routes = responder.routes
        access = responder.access
    }

    /// A request from its head on.
    final class Entry {
        fileprivate let request: Request
        fileprivate let client: String?
        fileprivate let begun = NIODeadline.now()
        /// Bytes that had been written to the connection before.
        fileprivate let writtenBefore: Int
        /// The endpoint that was asked last.
        var endpoint = ""

        init(_ request: Request, from address: SocketAddress?, writtenBefore: Int) {
            self.request = request
            client = address?.ipAddress
            self.writtenBefore = writtenBefore
        }
    }

    /// What became of a request.
    struct Outcome {
        /// nil if the connection ended before an answer began.
        var status: Int?
        var requestID: String?
        var model = ""
        /// Why the answer has no end, such as `client_gone`; nil if it has one.
        var brokenBy: String?
        /// Bytes that were written to the connection up to now.
        var written: Int
    }

    /// - Parameter call: nil if the head was answered at once; its route and its caller are looked up again then
    func write(_ entry: Entry, _ call: RouteCall?, _ outcome: Outcome) {
        let request = entry.request
        var metadata: Logger.Metadata = [
            LogKey.method: "\(request.method.rawValue)",
            LogKey.milliseconds: "\((NIODeadline.now() - entry.begun).nanoseconds / 1_000_000)",
            LogKey.bytes: "\(outcome.written - entry.writtenBefore)",
            LogKey.model: "\(outcome.model.prefix(200))", LogKey.endpoint: "\(entry.endpoint)",
            LogKey.client: "\(entry.client ?? "")",
        ]
        let route = call?.match.route ?? (try? routes.match(request.method, path: request.path))?.route
        if let route {
            metadata[LogKey.route] = "\(route.name)"
            metadata[LogKey.key] = (call?.caller ?? (try? access.caller(of: request, for: route.access)))?.keyInLog
        } else {
            metadata[LogKey.path] = "\(request.path.prefix(200))"
        }
        write(outcome, metadata)
    }

    /// For bytes that are no request.
    func write(_ outcome: Outcome, from address: SocketAddress?) {
        write(outcome, [LogKey.client: "\(address?.ipAddress ?? "")"])
    }

    private func write(_ outcome: Outcome, _ metadata: Logger.Metadata) {
        var metadata = metadata
        if let status = outcome.status { metadata[LogKey.status] = "\(status)" }
        metadata[LogKey.requestID] = "\(outcome.requestID ?? "")"
        metadata[LogKey.brokenBy] = "\(outcome.brokenBy ?? "")"
        logger.info("Request", metadata: metadata.filter { $0.value != "" })
    }
}

extension Caller {
    /// nil if the request had no valid key.
    fileprivate var keyInLog: Logger.MetadataValue? {
        switch identity {
        case .admin: "admin"
        case .anonymous: nil
        case .key(let id): "\(id)"
        }
    }
}

extension ClientHandler {
    /// Begins the current request's line, if there is to be one.
    func beginAccessEntry(_ request: Request) {
        guard gateway.accessLog != nil else { return }
        current?.accessEntry = AccessLog.Entry(
            request, from: context?.remoteAddress, writtenBefore: writtenBytes)
    }

    /// Writes the line of a request that is over. Call it before the request's work is forgotten.
    func logAccess(
        _ request: Current, status: Int?, requestID: String? = nil, brokenBy: String? = nil
    ) {
        guard let entry = request.accessEntry.take() else { return }
        var outcome = AccessLog.Outcome(
            status: status, requestID: requestID ?? request.call?.requestID, brokenBy: brokenBy, written: writtenBytes)
        if case .exchange(let exchange) = request.work {
            outcome.model = exchange.model
            outcome.status = status ?? exchange.passedStatus
        }
        gateway.accessLog?.write(entry, request.call, outcome)
    }
}

extension Exchange {
    /// The status that the client has got; nil if no answer of an endpoint was passed on.
    fileprivate var passedStatus: Int? { passage == nil ? nil : head?.status }
}
