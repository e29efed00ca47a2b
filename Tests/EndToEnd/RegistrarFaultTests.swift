import Foundation
import Testing

/// Registrars that die at the worst moments, have the wrong database, or an old one.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct RegistrarFaultTests {
    private func create(_ gateway: Node, _ name: String, key: String? = nil) async throws -> Answer {
        try await gateway.server.send(
            "POST", "/v0/endpoints", body: #"{"name":"\#(name)","base_url":"http://127.0.0.1:1/\#(name)"}"#,
            headers: key.map { [(name: "Idempotency-Key", value: $0)] } ?? [])
    }

    private func names(_ gateway: Node) async throws -> [String] {
        try await gateway.server.get("/v0/endpoints").json()["endpoints"].array.compactMap { $0["name"].string }
    }

    @Test(.timeLimit(.minutes(2)), arguments: ["before-commit", "after-commit", "after-announce"])
    func killedAtAFailpointThereIsOneEffectAndOneAnswer(failpoint: String) async throws {
        try await Deployment.run { deployment in
            let doomed = try await deployment.registrar("doomed", ["ROLLCALL_FAILPOINT": failpoint])
            let gateway = try await deployment.readyGateway()
            async let first = create(gateway, "one", key: "the-key")
            #expect(await doomed.process.exitStatus() == -SIGKILL)
            _ = try await deployment.registrar("successor")
            let answer = try await first
            #expect(answer.status == 201)
            let again = try await create(gateway, "one", key: "the-key")
            #expect(again.status == 201)
            #expect(try again.json()["id"] == answer.json()["id"])
            #expect(try again.json()["revision"] == answer.json()["revision"])
            let other = try await create(gateway, "two", key: "the-key")
            #expect(other.status == 422)
            #expect(try other.json()["error"]["code"].string == "idempotency_key_reused")
            #expect(try await names(gateway) == ["one"])
            let fresh = try await deployment.readyGateway("fresh")
            #expect(try await names(fresh) == ["one"])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func anotherRegistryRefusesAndHarmsNothing() async throws {
        try await Deployment.run { deployment in
            let own = try await deployment.registrar("own")
            let gateway = try await deployment.readyGateway()
            #expect(try await create(gateway, "one").status == 201)
            let stranger = try await deployment.registrar("stranger", database: "other")
            // While another one is active it is only a standby; it refuses when it would have to act.
            #expect(await own.process.stop() == 0)
            #expect(await stranger.process.exitStatus() == 78)
            #expect(try stranger.process.output.contains("--adopt"))
            #expect(try await names(gateway) == ["one"])
            _ = try await deployment.registrar("own-again")
            #expect(try await create(gateway, "two").status == 201)
            let fresh = try await deployment.readyGateway("fresh")
            #expect(try await names(fresh) == ["one", "two"])
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func databaseRestoredFromAnOlderCopy() async throws {
        try await Deployment.run { deployment in
            let files = FileManager.default
            let database = deployment.folder.appendingPathComponent("registry.sqlite")
            let copy = deployment.folder.appendingPathComponent("yesterday")
            let first = try await deployment.registrar()
            let gateway = try await deployment.readyGateway()
            for name in ["kept", "deleted-since"] { #expect(try await create(gateway, name).status == 201) }
            #expect(await first.process.stop() == 0)
            try files.copyItem(at: database, to: copy)

            let second = try await deployment.registrar("second")
            #expect(try await create(gateway, "made-since").status == 201)
            #expect(try await gateway.server.send("DELETE", "/v0/endpoints/deleted-since").status == 204)
            #expect(try await names(gateway) == ["kept", "made-since"])
            // Killed, it may leave a command that is executed and not acknowledged; the next would execute it on the copy.
            #expect(await second.process.stop() == 0)
            for suffix in ["", "-wal", "-shm"] {
                let file = URL(fileURLWithPath: database.path + suffix)
                if files.fileExists(atPath: file.path) { try files.removeItem(at: file) }
            }
            try files.copyItem(at: copy, to: database)

            _ = try await deployment.registrar("third")
            try await eventually("the copy's truth stands", within: .seconds(30)) {
                try await names(gateway) == ["deleted-since", "kept"]
            }
            #expect(try await create(gateway, "after").status == 201)
            let expected = ["after", "deleted-since", "kept"]
            #expect(try await names(gateway) == expected)
            let fresh = try await deployment.readyGateway("fresh")
            #expect(try await names(fresh) == expected)
        }
    }

    /// No poller is there: a list that is emptied would stay empty.
    @Test(.timeLimit(.minutes(2)))
    func aRestoredDatabaseEmptiesNoList() async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("a", kind: "vllm", models: ["m"])
            let first = try await deployment.registrar("first", ["ROLLCALL_ENDPOINTS": fleet.setting(["a"])])
            let poller = try await deployment.poller()
            let gateway = try await deployment.readyGateway()
            try await eventually("the model is listed") {
                try await gateway.server.get("/v1/models").text.contains(#""id":"m""#)
            }
            #expect(await poller.process.stop() == 0)
            #expect(await first.process.stop() == 0)
            let copy = deployment.folder.appendingPathComponent("yesterday")
            let database = deployment.folder.appendingPathComponent("registry.sqlite")
            try FileManager.default.copyItem(at: database, to: copy)
            let second = try await deployment.registrar("second")
            #expect(try await create(gateway, "made-since").status == 201)
            #expect(await second.process.stop() == 0)
            for suffix in ["", "-wal", "-shm"] {
                let file = database.path + suffix
                if FileManager.default.fileExists(atPath: file) { try FileManager.default.removeItem(atPath: file) }
            }
            try FileManager.default.copyItem(at: copy, to: database)
            let watch = GatewayWatch(gateway)
            let sampler = Sampler()
            try await sampler.during(watch.sample) {
                _ = try await deployment.registrar("third")
                try await eventually("the copy's truth stands", within: .seconds(30)) {
                    try await names(gateway) == ["a"]
                }
                #expect(try await create(gateway, "after").status == 201)
            }
            #expect(sampler.violations.isEmpty, "\(sampler.violations)")
            let fresh = try await deployment.readyGateway("fresh")
            let bodies = [
                try await fresh.server.get("/v1/models").text, try await gateway.server.get("/v1/models").text,
            ]
            #expect(bodies[0] == bodies[1] && bodies[0].contains(#""id":"m""#))
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func standbyTakesOver() async throws {
        try await Deployment.run { deployment in
            let active = try await deployment.registrar("active")
            let gateway = try await deployment.readyGateway()
            #expect(try await create(gateway, "one").status == 201)
            _ = try await deployment.registrar("standby")
            await active.process.killNow()
            #expect(try await create(gateway, "two").status == 201)
            #expect(try await names(gateway) == ["one", "two"])
        }
    }
}
