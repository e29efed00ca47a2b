import Foundation
import Testing

/// `rollcall broker tail` beside real processes.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct BrokerTailTests {
    @Test(.timeLimit(.minutes(1)))
    func messagesAreShownAndKeysAreNot() async throws {
        let settings = ["ROLLCALL_SECRET_KEY": Data(repeating: 7, count: 32).base64EncodedString()]
        try await Deployment.run(settings: settings) { deployment in
            _ = try await deployment.registrar()
            let gateway = try await deployment.readyGateway()
            let secret = "sk-\(UUID().uuidString)"
            let early = #"{"name":"early","base_url":"http://127.0.0.1:1","api_key":"\#(secret)"}"#
            #expect(try await gateway.server.send("POST", "/v0/endpoints", body: early).status == 201)
            let tail = try await deployment.start(
                "rollcall", name: "tail",
                arguments: ["broker", "tail", "--since", "1h", "--type", "registry.changed"])
            func lines(naming name: String) throws -> [Substring] {
                try tail.output.split(separator: "\n").filter { $0.contains(#""name":"\#(name)""#) }
            }
            try await eventually("what was said before is shown") { try lines(naming: "early").count == 1 }
            let late = #"{"name":"late","base_url":"http://127.0.0.1:2"}"#
            #expect(try await gateway.server.send("POST", "/v0/endpoints", body: late).status == 201)
            try await eventually("what is said now is shown") { try lines(naming: "late").count == 1 }
            #expect(try lines(naming: "early")[0].contains(#""sealed_api_key":"(sealed)""#))
            #expect(try !tail.output.contains(secret))
            let types = try tail.output.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
            #expect(types.filter { $0 != "registry.changed" && $0.contains(".") && !$0.contains(":") }.isEmpty)
            let full = try ChildProcess(
                "full", executable: URL(fileURLWithPath: "/bin/sh"),
                arguments: [
                    "-c", #"exec "$0" broker tail --since 1h > /dev/full"#,
                    Paths.products.appendingPathComponent("rollcall").path,
                ],
                environment: [
                    "ROLLCALL_AMQP_URL": deployment.broker.url, "ROLLCALL_NAMESPACE": deployment.namespace,
                ], log: deployment.folder.appendingPathComponent("full.log"))
            #expect(await full.exitStatus() == 1)
            #expect(try full.output.contains("standard output cannot be written"))
            tail.signal(SIGINT)
            #expect(await tail.exitStatus() == 130)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whatIsMissingIsSaid() async throws {
        try await Deployment.run { deployment in
            let missing = try await deployment.start("rollcall", name: "tail", arguments: ["broker", "tail"])
            #expect(await missing.exitStatus() == 66)
            #expect(try missing.output.contains("the queue \(deployment.namespace).catalog"))
            let wrong = try await deployment.start(
                "rollcall", name: "tail", arguments: ["broker", "tail", "--since", "soon"])
            #expect(await wrong.exitStatus() == 64)
        }
    }
}
