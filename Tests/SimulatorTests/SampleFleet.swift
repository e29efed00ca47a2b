import Foundation
import HTTPTypes
import Logging
import NIOCore
import Testing

@testable import Simulator

/// Seconds since 1970 in the tests' fleets.
let sampleTime: Int64 = 1_800_000_000

let sampleModels = [
    SimulatedModel(
        id: "org/one", contextLength: 8192, parameters: 8_000_000_000, quantization: "Q4_K_M", isLoaded: true),
    SimulatedModel(id: "two \"é\""),
]

/// A fleet with one endpoint of each kind, named like the kind.
func sampleFleet(_ behaviour: Behaviour = Behaviour()) -> Fleet {
    let fleet = Fleet(pool: ModelPool(size: 48), now: { sampleTime * 1000 })
    for kind in ServerKind.allCases {
        fleet.put(
            SimulatedEndpoint(name: kind.rawValue, kind: kind, models: sampleModels, behaviour: behaviour))
    }
    return fleet
}

/// A simulator on a port of its own, while the test runs.
func withClient(
    _ fleet: Fleet, hub: Hub? = nil, _ test: @escaping @Sendable (TestClient) async throws -> Void
) async throws {
    let responder = SimulatorProcess.responder(fleet, hub: hub)
    try await withServer(responder.respond(to:), test)
}

typealias Respond = @Sendable (Request) async throws -> Response

func withServer(
    _ respond: @escaping Respond, _ test: @escaping @Sendable (TestClient) async throws -> Void
) async throws {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let server = HTTPServer(
        host: "127.0.0.1", port: 0, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        onRunning: { port.yield($0) }, respond: respond)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { port.finish() }
            try await server.run()
        }
        let port = try #require(await ports.first { _ in true }, "the server does not listen")
        try await test(TestClient(port: port))
        group.cancelAll()
    }
}

/// The body as JSON: dictionaries, arrays, strings, numbers.
func object(_ response: TestResponse) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))
    return try #require(value as? [String: Any])
}

/// The data of a stream's events, `[DONE]` left out.
func events(_ response: TestResponse) throws -> [[String: Any]] {
    try String(buffer: response.body).split(separator: "\n").filter { $0.hasPrefix("data: {") }.map {
        try #require(try JSONSerialization.jsonObject(with: Data($0.dropFirst(6).utf8)) as? [String: Any])
    }
}

func fleetReport(_ client: TestClient) async throws -> FleetReport {
    try await client.execute(uri: "/control/fleet", method: .get) { response in
        try JSONDecoder().decode(FleetReport.self, from: Data(response.body.readableBytesView))
    }
}
