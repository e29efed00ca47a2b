import Hummingbird
import NIOCore
import ServiceLifecycle

/// Answers for the simulated endpoints: by path (`/e/<name>/…`), or as the only endpoint of a port.
struct EndpointResponder: HTTPResponder {
    let fleet: Fleet
    /// The endpoint whose port this is.
    var onlyEndpoint: String?
    /// For paths that are no endpoint's.
    var control: (any HTTPResponder<SimulatorContext>)?

    static let basePath = "/e/"

    func respond(to request: Request, context: SimulatorContext) async throws -> Response {
        if let onlyEndpoint {
            return try await respond(as: onlyEndpoint, path: request.uri.path, request, context)
        }
        let path = request.uri.path
        guard path.hasPrefix(Self.basePath) else {
            guard let control else { return Self.response(.text("no such path\n", status: 404)) }
            return try await control.respond(to: request, context: context)
        }
        let rest = path.dropFirst(Self.basePath.count)
        let name = rest.prefix { $0 != "/" }
        let inner = rest.dropFirst(name.count)
        return try await respond(as: String(name), path: inner.isEmpty ? "/" : String(inner), request, context)
    }

    private func respond(
        as name: String, path: String, _ request: Request, _ context: SimulatorContext
    ) async throws -> Response {
        let key = Self.bearer(request)
        guard let endpoint = fleet.visit(name, path: path, key: key) else {
            return Self.response(.text("no such endpoint\n", status: 404))
        }
        let behaviour = endpoint.behaviour
        if behaviour.latencyMilliseconds > 0 { try await Task.sleep(for: .milliseconds(behaviour.latencyMilliseconds)) }
        if let response = try await fault(behaviour.fault, request, context) { return response }
        if let required = behaviour.key, key != required, endpoint.kind.wantsKey(at: path) {
            return Self.response(.unauthorized(endpoint.kind))
        }
        let isList = endpoint.kind.listPaths.contains(path)
        if isList && behaviour.fault == .huge { return Self.huge() }
        var shown = endpoint
        if isList && behaviour.fault == .empty { shown.models = [] }
        let body = request.method == .post ? String(buffer: try await request.body.collect(upTo: 65536)) : ""
        var answer = Answer(
            of: shown, method: request.method.rawValue, path: path, body: body, now: fleet.now() / 1000)
        if isList && behaviour.fault == .truncated {
            answer.body = String(decoding: answer.body.utf8.prefix(answer.body.utf8.count * 2 / 3), as: UTF8.self)
        }
        return Self.response(answer)
    }

    /// The answer of a fault that stands before the server, whatever was asked for.
    private func fault(
        _ fault: Behaviour.Fault, _ request: Request, _ context: SimulatorContext
    ) async throws -> Response? {
        switch fault {
        case .none, .truncated, .empty, .huge: return nil
        case .hang:
            await hang(request)
            return Response(status: .serviceUnavailable)
        case .reset:
            await context.reset()
            return Response(status: .serviceUnavailable)
        case .error: return Self.response(.internalError)
        case .html: return Self.response(.loginPage)
        case .redirect: return .redirect(to: "/login?next=\(request.uri.path)", type: .found)
        }
    }

    /// Until the client gives up or the simulator stops.
    private func hang(_ request: Request) async {
        await cancelWhenGracefulShutdown {
            do {
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await Task.sleep(for: .seconds(3600))
                }
            } catch {
                // Cancelled, as meant: there is nobody left to answer.
            }
        }
    }

    private static func bearer(_ request: Request) -> String? {
        guard let value = request.headers[.authorization], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst("bearer ".count))
    }

    private static func response(_ answer: Answer) -> Response {
        Response(
            status: .init(code: answer.status), headers: [.contentType: answer.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: answer.body)))
    }

    /// 50 MB of valid JSON with the list at its end.
    private static func huge() -> Response {
        let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000_000)
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: #"{"object":"list","padding":""#))
            for _ in 0..<50 { try await writer.write(chunk) }
            try await writer.write(ByteBuffer(string: #"","data":[]}"#))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }
}
