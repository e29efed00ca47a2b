import Foundation
import TestSupport
import Testing

/// A gateway that has no descriptor left.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct DescriptorTests {
    /// Connections that wait to be accepted must not keep the event loop busy, and are served once others end.
    @Test(.timeLimit(.minutes(2)))
    func waitingConnectionsCostNothing() async throws {
        try await Deployment.run { deployment in
            let port = try Ports.free()
            let gateway = try ChildProcess(
                "gateway", executable: URL(fileURLWithPath: "/bin/bash"),
                arguments: [
                    "-c", "ulimit -n 64; exec \"$0\"", Paths.products.appendingPathComponent("rollcall-gateway").path,
                ],
                environment: [
                    "ROLLCALL_AMQP_URL": deployment.broker.url, "ROLLCALL_NAMESPACE": deployment.namespace,
                    "ROLLCALL_PORT": "\(port)",
                ], log: deployment.folder.appendingPathComponent("gateway.log"))
            let server = Server(base: "http://127.0.0.1:\(port)")
            try await eventually("the gateway listens") { try await server.get("/healthz").status == 200 }
            let sockets = (0..<100).map { _ in RawSocket.connect(port: port) }
            try await eventually("it says so") { try gateway.output.contains("Connections cannot be accepted") }

            let before = try Self.processorTicks(gateway)
            try await Task.sleep(for: .seconds(2))
            // Of 200 in two seconds.
            #expect(try Self.processorTicks(gateway) - before < 60)

            for socket in sockets { socket.close() }
            try await eventually("it accepts again") { try await server.get("/healthz").status == 200 }
            await gateway.stop()
        }
    }

    /// Hundredths of a second that the process has used: the 14th and 15th number of its `stat` (proc(5)).
    private static func processorTicks(_ process: ChildProcess) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.identifier)/stat", encoding: .utf8)
        let fields = text[text.index(after: try #require(text.lastIndex(of: ")")))...].split(separator: " ")
        return try #require(Int(fields[11])) + #require(Int(fields[12]))
    }
}
