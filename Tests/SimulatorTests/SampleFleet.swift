import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
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

func withClient(
    _ fleet: Fleet, hub: Hub? = nil, _ setup: TestingSetup = .router,
    _ test: @escaping @Sendable (any TestClientProtocol) async throws -> Void
) async throws {
    let application = Application(
        responder: SimulatorProcess.responder(fleet, hub: hub), server: .simulated,
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await application.test(setup) { client in try await test(client) }
}

/// The body as JSON: dictionaries, arrays, strings, numbers.
func object(_ response: TestResponse) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))
    return try #require(value as? [String: Any])
}

func fleetReport(_ client: any TestClientProtocol) async throws -> FleetReport {
    try await client.execute(uri: "/control/fleet", method: .get) { response in
        try JSONDecoder().decode(FleetReport.self, from: Data(response.body.readableBytesView))
    }
}
