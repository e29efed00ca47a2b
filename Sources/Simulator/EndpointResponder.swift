import HTTPTypes
import NIOCore

/// Answers for the simulated endpoints: by path (`/e/<name>/…`), or as the only endpoint of a port.
struct EndpointResponder: Sendable {
    let fleet: Fleet
    /// The endpoint whose port this is.
    var onlyEndpoint: String?
    /// For paths below `/hub`.
    var hub: HubResponder?
    /// For paths that are neither an endpoint's nor the Hub's.
    var control: ControlRoutes?

    static let basePath = "/e/"

    func respond(to request: Request) async throws -> Response {
        let path = request.path
        if let onlyEndpoint { return try await respond(as: onlyEndpoint, path: path, request) }
        guard path.hasPrefix(Self.basePath) else {
            if let hub, path.hasPrefix(HubRequest.basePath + "/") {
                return try await hub.respond(to: request)
            }
            guard let control, path == "/control" || path.hasPrefix("/control/") else {
                return Response.of(.text("no such path\n", status: 404))
            }
            return try await control.respond(to: request)
        }
        let rest = path.dropFirst(Self.basePath.count)
        let name = rest.prefix { $0 != "/" }
        let inner = rest.dropFirst(name.count)
        return try await respond(as: String(name), path: inner.isEmpty ? "/" : String(inner), request)
    }

    private func respond(as name: String, path: String, _ request: Request) async throws -> Response {
        let key = Self.bearer(request)
        let route = request.method == .post ? InferenceRoute(rawValue: path) : nil
        guard let endpoint = fleet.visit(name, path: path, route: route, key: key) else {
            return Response.of(.text("no such endpoint\n", status: 404))
        }
        let behaviour = endpoint.behaviour
        if behaviour.latencyMilliseconds > 0 { try await Task.sleep(for: .milliseconds(behaviour.latencyMilliseconds)) }
        if let response = try await fault(behaviour.fault, request) { return response }
        if let route {
            return try await InferenceResponder(fleet: fleet, endpoint: endpoint, route: route, key: key)
                .respond(to: request)
        }
        if let required = behaviour.key, key != required, endpoint.kind.wantsKey(at: path) {
            return Response.of(.unauthorized(endpoint.kind))
        }
        if endpoint.kind == .ollama, request.method == .post, let route = OllamaResponder.Route(rawValue: path) {
            return try await OllamaResponder(fleet: fleet, endpoint: endpoint, route: route).respond(to: request)
        }
        let isList = endpoint.kind.listPaths.contains(path)
        if isList && behaviour.fault == .huge {
            return .padded(megabytes: 50, start: #"{"object":"list","padding":""#, end: #"","data":[]}"#)
        }
        var shown = endpoint
        if isList && behaviour.fault == .empty { shown.models = [] }
        let body = request.method == .post ? String(buffer: try await request.body.collect(upTo: 16 << 20)) : ""
        var answer = Answer(
            of: shown, method: request.method.rawValue, path: path, body: body, now: fleet.now() / 1000)
        if isList && behaviour.fault == .truncated {
            answer.body = String(decoding: answer.body.utf8.prefix(answer.body.utf8.count * 2 / 3), as: UTF8.self)
        }
        return Response.of(answer)
    }

    /// The answer of a fault that stands before the server, whatever was asked for.
    private func fault(_ fault: Behaviour.Fault, _ request: Request) async throws -> Response? {
        switch fault {
        case .none, .truncated, .empty, .huge: return nil
        case .hang: try await request.connection.hang(request)
        case .reset: try await request.connection.reset()
        case .error: return Response.of(.internalError)
        case .html: return Response.of(.loginPage)
        case .redirect: return Response(status: .found, headers: [.location: "/login?next=\(request.path)"])
        }
    }

    private static func bearer(_ request: Request) -> String? {
        guard let value = request.headers[.authorization], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst("bearer ".count))
    }
}
