import FoundationEssentials
import Hummingbird

/// `/control`: how tests see and change the fleet.
struct ControlRoutes: Sendable {
    let fleet: Fleet
    /// nil: there is no Hub.
    var hub: Hub?

    func responder() -> any HTTPResponder<SimulatorContext> {
        let router = Router(context: SimulatorContext.self)
        let (fleet, hub) = (fleet, hub)
        router.get("control/fleet") { _, _ in try Self.json(FleetReport(of: fleet)) }
        router.get("control/endpoints/:name") { _, context in
            try Self.report(fleet.endpoint(try context.parameters.require("name")))
        }
        router.put("control/endpoints/:name") { request, context in
            let wanted = try await Self.decode(NewEndpoint.self, request)
            let name = try context.parameters.require("name")
            fleet.put(
                SimulatedEndpoint(
                    name: name, kind: wanted.kind, models: wanted.models ?? [],
                    behaviour: wanted.behaviour ?? Behaviour()))
            return try Self.report(fleet.endpoint(name))
        }
        router.patch("control/endpoints/:name") { request, context in
            let change = try await Self.decode(EndpointChange.self, request)
            return try Self.report(
                fleet.update(try context.parameters.require("name")) { endpoint in
                    if let models = change.models { endpoint.models = models }
                    if let behaviour = change.behaviour { endpoint.behaviour = behaviour }
                })
        }
        router.delete("control/endpoints/:name") { _, context in
            guard fleet.remove(try context.parameters.require("name")) else { throw HTTPError(.notFound) }
            return Response(status: .noContent)
        }
        router.post("control/churn") { request, _ in
            fleet.setChurning(try await Self.decode(ChurnChange.self, request).on)
            return Response(status: .noContent)
        }
        router.post("control/reset-counters") { _, _ in
            fleet.resetCounters()
            hub?.resetCounters()
            return Response(status: .noContent)
        }
        if let hub { HubControlRoutes(hub: hub).add(to: router) }
        return router.buildResponder()
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
            return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
        } catch {
            throw HTTPError(.badRequest, message: "\(error)")
        }
    }

    private static func report(_ endpoint: SimulatedEndpoint?) throws -> Response {
        guard let endpoint else { throw HTTPError(.notFound) }
        return try json(FleetReport.Endpoint(of: endpoint))
    }

    static func json(_ value: some Encodable) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(value)
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }
}
