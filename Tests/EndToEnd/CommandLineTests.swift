import Foundation
import Testing

/// `rollcall` as a person or a script uses it, against real processes.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct CommandLineTests {
    @Test(.timeLimit(.minutes(2)))
    func aModelFromRegistrationToRemoval() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("gpu", kind: "vllm", models: ["Org/M"])
            try await fleet.hub.putGGUF("Org/M", ["m-Q4_0.gguf": 10])
            _ = try await deployment.registrar("registrar", fleet.hub.settings())
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway()

            func rollcall(_ arguments: String..., ends status: Int32 = 0) async throws -> String {
                let child = try ChildProcess(
                    "rollcall", executable: Paths.products.appendingPathComponent("rollcall"), arguments: arguments,
                    environment: ["ROLLCALL_URL": gateway.server.base],
                    log: deployment.folder.appendingPathComponent("rollcall-\(UUID().uuidString).log"))
                let ended = await child.exitStatus()
                let output = try child.output
                #expect(ended == status, "\(arguments.joined(separator: " ")): \(output)")
                return output
            }

            let gone = "http://127.0.0.1:\(try Ports.free())"
            let refused = try await rollcall("endpoints", "add", "gone", gone, "--wait", ends: 1)
            #expect(refused.contains("gone was added, and is not online: ") && refused.contains("(connect_failed)\n"))
            #expect(try await rollcall("endpoints", "ls").contains("(connect_failed)"))
            #expect(try await rollcall("endpoints", "rm", "gone").contains("removed gone"))
            let added = try await rollcall("endpoints", "add", "gpu", fleet.base("gpu"), "--wait")
            #expect(added.contains(#/\nstate +online\n/#) && added.contains("\nOrg/M "))
            #expect(try await rollcall("models", "show", "Org/M").contains(#/\nendpoints +gpu\n/#))
            #expect(try await rollcall("models", "show", "org/none", ends: 66).contains("model_not_found"))
            let answer = try await rollcall("chat", "Org/M", "Say", "hello.", "--stats")
            #expect(answer.contains(#/\nendpoint +gpu\n/#), "\(answer)")
            let unknown = try await rollcall("chat", "none", "x", ends: 66)
            #expect(unknown.contains("The models are \"Org/M\"") && !unknown.contains("/v1/"), "\(unknown)")
            let key = try await rollcall("keys", "create", "laptop", "--scope", "models")
            #expect(key.hasPrefix("rc_") && key.contains("keys protect nothing"))
            let watched = try await rollcall("operations", "watch", "none", ends: 66)
            #expect(!watched.contains("/v0/"))
            let dry = try await rollcall("models", "register", "hf.co/Org/M:Q4_0", "--dry-run")
            #expect(dry.contains("the request names the quantization Q4_0") && dry.contains("Nothing was registered"))
            #expect(try await gateway.registeredNames() == [])
            #expect(try await rollcall("models", "register", "Org/M", "--quantization", "Q4_0").contains("org/m"))
            #expect(try await rollcall("models", "register", "Org/M", ends: 73).contains("already_registered"))
            #expect(try await rollcall("models", "register", "org/none", ends: 66).contains("repository_not_found"))
            #expect(try await rollcall("models", "register", "not a repo", ends: 65).contains("invalid_repo"))
            try await eventually("the model is ready") {
                try await rollcall("models", "registered").contains("ready")
            }
            #expect(try await rollcall("models", "list").contains("Org/M"))
            #expect(try await rollcall("models", "verify", "org/m").contains("ok"))
            let manifest = deployment.folder.appendingPathComponent("manifest.json")
            _ = try await rollcall("models", "manifest", "org/m", "--output", manifest.path)
            let files = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: manifest))["files"].array
            #expect(files.map { $0["path"].string } == ["m-Q4_0.gguf"])
            let json = try await rollcall("models", "show", "org/m", "--json")
            #expect(try JSONDecoder().decode(JSON.self, from: Data(json.utf8))["status"].string == "ready")
            _ = try await rollcall("models", "remove", "org/m")
            #expect(try await rollcall("models", "show", "org/m", ends: 66).contains("rollcall models registered"))
            #expect(try await gateway.registeredNames() == [])
            await gateway.process.stop()
            _ = try await rollcall("status", ends: 69)
        }
    }
}
