import Foundation
import Testing

/// What the programs say if they cannot start, or have to wait: one line, with the setting to change.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct StartErrorTests {
    private struct Ending {
        var program: String
        var settings: [String: String]
        var code: Int32
        /// What the one line has.
        var parts: [String]
    }

    @Test(.timeLimit(.minutes(2)))
    func oneLineAndTheSettingToChange() async throws {
        try await Deployment.run { deployment in
            let taken = try await deployment.readyForOthers()
            let file = deployment.folder.appendingPathComponent("no-folder").path
            try "text".write(toFile: file, atomically: true, encoding: .utf8)
            let missing = "\(deployment.folder.path)/missing.pem"
            let endings = [
                Ending(
                    program: "rollcall-gateway", settings: ["ROLLCALL_PORT": "\(taken)"], code: 1,
                    parts: ["ROLLCALL_PORT: ", "127.0.0.1:\(taken)", "in use"]),
                Ending(
                    program: "rollcall-poller", settings: ["ROLLCALL_HEALTH_PORT": "\(taken)"], code: 1,
                    parts: ["ROLLCALL_HEALTH_PORT: ", "in use"]),
                Ending(
                    program: "rollcall-simulator", settings: ["ROLLCALL_SIMULATOR_PORT": "\(taken)"], code: 1,
                    parts: ["ROLLCALL_SIMULATOR_PORT: ", "in use"]),
                Ending(
                    program: "rollcall-gateway",
                    settings: ["ROLLCALL_HOST": "192.0.2.1", "ROLLCALL_ADMIN_KEY": "k-0123456789abcdef"],
                    code: 78, parts: ["ROLLCALL_HOST: ", "192.0.2.1", "none of this host"]),
                Ending(
                    program: "rollcall-gateway",
                    settings: ["ROLLCALL_HOST": "nowhere.invalid", "ROLLCALL_ADMIN_KEY": "k-0123456789abcdef"],
                    code: 78, parts: ["ROLLCALL_HOST: ", "cannot be resolved"]),
                Ending(
                    program: "rollcall-gateway",
                    settings: ["ROLLCALL_TLS_CERT_FILE": missing, "ROLLCALL_TLS_KEY_FILE": missing], code: 78,
                    parts: ["ROLLCALL_TLS_CERT_FILE: ", missing, "No such file"]),
                Ending(
                    program: "rollcall-gateway",
                    settings: ["ROLLCALL_TLS_CERT_FILE": file, "ROLLCALL_TLS_KEY_FILE": missing], code: 78,
                    parts: ["ROLLCALL_TLS_KEY_FILE: ", missing, "No such file"]),
                Ending(
                    program: "rollcall-registrar", settings: ["ROLLCALL_DATABASE_URL": "sqlite:\(file)/r.sqlite"],
                    code: 78, parts: ["ROLLCALL_DATABASE_URL: ", "cannot be opened or made", "Not a directory"]),
            ]
            for ending in endings {
                let process = try await deployment.start(
                    ending.program, name: "ending", ending.settings.merging(["ROLLCALL_LOG_LEVEL": "warning"]) { $1 })
                #expect(await process.exitStatus() == ending.code, "\(ending.settings)")
                let output = try process.output
                let lines = output.split(separator: "\n").filter { $0.hasPrefix(ending.program + ": ") }
                #expect(lines.count == 1, "\(output)")
                for part in ending.parts { #expect(lines.first?.contains(part) == true, "\(part) in \(lines)") }
            }
        }
    }

    /// The process waits for a broker that cannot be had, and says so once, however often it tries.
    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            ("amqp://guest:secret-word@127.0.0.1:PORT/", "error", "ACCESS_REFUSED"),
            ("amqp://guest:guest@127.0.0.1:PORT/no-such-vhost", "error", "no-such-vhost"),
            ("amqp://guest:secret-word@127.0.0.1:9/", "warning", "refused"),
            ("amqp://guest:secret-word@broker.invalid/", "warning", "cannot be resolved"),
        ],
        ["rollcall-gateway", "rollcall-poller", "rollcall-registrar"])
    func waitsForTheBroker(wrong: (url: String, level: String, reason: String), program: String) async throws {
        try await Deployment.run { deployment in
            let url = wrong.url.replacingOccurrences(of: "PORT", with: "\(deployment.broker.port)")
            let process = try await deployment.start(
                program, name: program,
                [
                    "ROLLCALL_AMQP_URL": url, "ROLLCALL_PORT": "\(try Ports.free())",
                    "ROLLCALL_DATABASE_URL": "sqlite:\(deployment.folder.path)/r.sqlite",
                ])
            func lines(_ part: String) throws -> [Substring] {
                try process.output.split(separator: "\n").filter { $0.contains(part) }
            }
            // Each try is said at debug.
            try await eventually("it has tried some times", within: .seconds(60)) {
                try lines("Not connected to the broker").count >= 6
            }
            let said = try lines(" \(wrong.level) ").filter { $0.contains("ROLLCALL_AMQP_URL") }
            #expect(said.count == 1, "\(said)")
            #expect(said.first?.contains(wrong.reason) == true, "\(said)")
            #expect(try lines("secret-word") == [])
            let loud = try process.output.split(separator: "\n").filter { line in
                ["info ", "notice ", "warning ", "error "].contains { line.dropFirst(25).hasPrefix($0) }
            }
            #expect(loud.filter { $0.contains("broker") || $0.contains("stream") }.count == 1, "\(loud)")
        }
    }
}

extension Deployment {
    /// A port that a gateway listens on, on all addresses.
    fileprivate func readyForOthers() async throws -> Int {
        let node = try await gateway(
            "holder", ["ROLLCALL_HOST": "0.0.0.0", "ROLLCALL_ADMIN_KEY": "k-0123456789abcdef"])
        try await eventually("it listens") { try await node.server.get("/healthz").status == 200 }
        return node.port
    }
}
