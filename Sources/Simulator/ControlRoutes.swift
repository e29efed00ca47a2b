import HTTPTypes
import JSON
import NIOCore

/// `/control`: how tests see and change the fleet.
struct ControlRoutes: Sendable {
    let fleet: Fleet
    /// nil: there is no Hub.
    var hub: Hub?

    func respond(to request: Request) async throws -> Response {
        let parts = request.path.split(separator: "/").dropFirst().map(String.init)
        switch (request.method, parts.first, parts.count) {
        case (.get, "fleet", 1): return try Self.json(FleetReport(of: fleet))
        case (_, "endpoints", 2): return try await respond(to: request, endpoint: parts[1])
        case (.post, "churn", 1):
            fleet.setChurning(try await Self.decode(ChurnChange.self, request).on)
            return Response(status: .noContent)
        case (.post, "reset-counters", 1):
            fleet.resetCounters()
            hub?.resetCounters()
            return Response(status: .noContent)
        case (_, "hub", _):
            guard let hub else { throw HTTPFailure(.notFound) }
            return try await HubControlRoutes(hub: hub).respond(to: request, parts.dropFirst())
        default: throw HTTPFailure(.notFound)
        }
    }

    private func respond(to request: Request, endpoint name: String) async throws -> Response {
        switch request.method {
        case .get: return try Self.report(fleet.endpoint(name))
        case .put:
            let wanted = try await Self.decode(NewEndpoint.self, request)
            fleet.put(
                SimulatedEndpoint(
                    name: name, kind: wanted.kind, models: wanted.models ?? [],
                    behaviour: wanted.behaviour ?? Behaviour()))
            return try Self.report(fleet.endpoint(name))
        case .patch:
            let change = try await Self.decode(EndpointChange.self, request)
            return try Self.report(
                fleet.update(name) { endpoint in
                    if let models = change.models { endpoint.models = models }
                    if let behaviour = change.behaviour { endpoint.behaviour = behaviour }
                })
        case .delete:
            guard fleet.remove(name) else { throw HTTPFailure(.notFound) }
            return Response(status: .noContent)
        default: throw HTTPFailure(.notFound)
        }
    }

    private struct NewEndpoint: Decodable {
        var kind: ServerKind
        var models: [SimulatedModel]?
        var behaviour: Behaviour?
    }

    private struct EndpointChange: Decodable {
        var models: [SimulatedModel]?
        var behaviour: Behaviour?
    }

    private struct ChurnChange: Decodable { var on: Bool }

    static func decode<Value: Decodable>(_ type: Value.Type, _ request: Request) async throws -> Value {
        let body = try await request.body.collect(upTo: 64 * 1024 * 1024)
        do {
            return try JSONCoding.decode(type, from: body.readableBytesView)
        } catch {
            throw HTTPFailure(.badRequest, message: "\(error)")
        }
    }

    private static func report(_ endpoint: SimulatedEndpoint?) throws -> Response {
        guard let endpoint else { throw HTTPFailure(.notFound) }
        return try json(FleetReport.Endpoint(of: endpoint))
    }

    static func json(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONCoding.encode(value))))
    }
}
