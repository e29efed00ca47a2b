import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import Launch

@Suite("Health")
struct HealthServerTests {
    @Test("/healthz answers always, /readyz by what the process says")
    func answers() async throws {
        let state = State()
        let server = HealthServer(port: 0, logger: Logger(label: "test")) {
            Readiness(
                isReady: state.ready.load(ordering: .relaxed),
                fields: [("broker", "con\"nected"), ("jobs", 3), ("age", 1.5), ("alone", true), ("tick", nil)])
        }
        try await Application(router: server.router()).test(.router) { client in
            try await client.execute(uri: "/healthz", method: .get) { response in
                #expect(response.status == .ok)
            }
            try await client.execute(uri: "/readyz", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.contentType] == "application/json")
                #expect(
                    String(buffer: response.body)
                        == #"{"ready":false,"broker":"con\"nected","jobs":3,"age":1.5,"alone":true,"tick":null}"# + "\n"
                )
            }
            state.ready.store(true, ordering: .relaxed)
            try await client.execute(uri: "/readyz", method: .get) { response in
                #expect(response.status == .ok)
            }
        }
    }

    private final class State: Sendable {
        let ready = Atomic(false)
    }
}
