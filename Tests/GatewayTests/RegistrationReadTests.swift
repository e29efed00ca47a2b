import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct RegistrationReadTests {
    static let recordFields: Set = [
        "name", "repo", "display_name", "requested_revision", "commit", "format", "quantization", "size_bytes",
        "required_memory_bytes", "parameter_count", "context_length", "architecture", "license", "has_chat_template",
        "chosen_because",
        "alternatives", "warnings", "drift", "manifest_url", "created_at", "revision",
    ]
    static let liveFields: Set = ["status", "endpoints", "hf_info", "verification"]

    @Test func recordsHaveExactlyTheContractsFields() async throws {
        let bench = try Bench(Registered.usual + [Registered.change(Registered.bareRecord("A/Bare", revision: 4))])
        let list = try await bench.send("GET", "/v0/models").json()
        #expect(list["total"] as? Int == 2)
        let records = try #require(list["models"] as? [[String: Any]])
        #expect(records.map { $0["name"] as? String } == ["a/bare", "org/model-gguf"])
        for record in records { #expect(Set(record.keys) == Self.recordFields) }
        let live = try await bench.send("GET", "/v0/models/hub").json()
        #expect(live["total"] as? Int == 2)
        for record in try #require(live["models"] as? [[String: Any]]) {
            #expect(Set(record.keys) == Self.recordFields.union(Self.liveFields))
        }
        for path in ["/v0/models/org/model-gguf", "/v0/models/a/bare"] {
            let single = try await bench.send("GET", path).json()
            #expect(Set(single.keys) == Self.recordFields.union(Self.liveFields).union(["chat_template"]))
        }
    }

    @Test func recordSaysWhatIsRegistered() async throws {
        let bench = try Bench(Registered.usual)
        let record = try await bench.send("GET", "/v0/models/org/model-gguf").json()
        #expect(record["name"] as? String == "org/model-gguf" && record["repo"] as? String == "Org/Model-GGUF")
        #expect(record["display_name"] as? String == "A \"model\"" && record["requested_revision"] as? String == "main")
        #expect(record["commit"] as? String == String(repeating: "a", count: 40))
        #expect(record["format"] as? String == "gguf" && record["quantization"] as? String == "Q4_K_M")
        #expect(record["size_bytes"] as? Int == 4_000_000_000)
        #expect(record["required_memory_bytes"] as? Int == 6_000_000_000)
        #expect(record["parameter_count"] as? Int == 7_000_000_000 && record["context_length"] as? Int == 32_768)
        #expect(record["architecture"] as? String == "qwen2" && record["license"] as? String == "apache-2.0")
        #expect(record["has_chat_template"] as? Bool == true)
        #expect(
            record["chat_template"] as? String
                == "{% for message in messages %}\n\t{{ message }}\u{1F600}\u{1}\\{% endfor %}")
        let choices = try #require(record["alternatives"] as? [[String: Any]])
        #expect(choices.count == 1 && choices[0]["quantization"] as? String == "Q8_0")
        #expect(choices[0]["filename"] as? String == "q8.gguf" && choices[0]["size_bytes"] is NSNull)
        let warnings = try #require(record["warnings"] as? [[String: String]])
        #expect(warnings.map { $0["code"] } == ["gated_repository", "memory_unknown"])
        #expect(record["drift"] is NSNull && record["revision"] as? Int == 3)
        #expect(record["created_at"] as? String == "2023-11-14T22:13:20Z")
        #expect(record["manifest_url"] as? String == "/v0/models/registry/org/model-gguf/manifest.json")
    }

    @Test func whatIsNotKnownIsNull() async throws {
        let bench = try Bench([Registered.change(Registered.bareRecord("A/Bare", revision: 4))])
        let record = try await bench.send("GET", "/v0/models/a/bare").json()
        for field in [
            "display_name", "quantization", "size_bytes", "required_memory_bytes", "parameter_count", "context_length",
            "architecture", "license", "drift", "chat_template",
        ] {
            #expect(record[field] is NSNull, "\(field)")
        }
        #expect((record["warnings"] as? [Any])?.isEmpty == true && record["has_chat_template"] as? Bool == false)
        let info = try #require(record["hf_info"] as? [String: Any])
        #expect(info["downloads"] is NSNull && info["likes"] is NSNull && info["last_modified"] is NSNull)
        #expect(info["fetched_at"] as? String == "1970-01-01T00:00:00.000Z" && info["stale"] as? Bool == true)
    }

    @Test func driftSaysWhatHasChangedThere() async throws {
        var record = Registered.record(revision: 3)
        record.drift = RepositoryDrift(
            commit: "new", detectedAt: 1_800_000_000_000, changes: [.init(path: "a/b.gguf", change: .removed)])
        let bench = try Bench([Registered.change(record)])
        let models = try #require(try await bench.send("GET", "/v0/models").json()["models"] as? [[String: Any]])
        let drift = try #require(models[0]["drift"] as? NSDictionary)
        #expect(
            drift == [
                "commit": "new", "detected_at": "2027-01-15T08:00:00.000Z",
                "changes": [["path": "a/b.gguf", "change": "removed"]],
            ])
    }

    @Test func liveStateIsWhatTheFleetMakesOfIt() async throws {
        let failed = VerifyResult(
            registration: Registered.name, number: 5, endpoint: Fleet.secondID, generation: 2, model: ModelID("m"),
            outcome: .timeout,
            latencyMilliseconds: 900, error: PollFailure(code: "timeout", message: "late"), by: "p2",
            at: 1_800_000_000_000)
        let done = VerifyResult(
            registration: Registered.name, number: 5, endpoint: Fleet.firstID, generation: 1, model: ModelID("n"),
            outcome: .ok,
            tokens: 2, latencyMilliseconds: 31, text: "Hello\n\"", by: "p1", at: 1_800_000_000_500)
        let bench = try Bench(Registered.usual + [.verifyResult(failed), .verifyResult(done)])
        let live = try #require(try await bench.send("GET", "/v0/models/hub").json()["models"] as? [[String: Any]])[0]
        #expect(live["status"] as? String == "ready")
        #expect(
            live["endpoints"] as? NSArray == [
                ["id": Fleet.firstID, "name": "alpha", "model": "/models/model-0.gguf", "state": "online"],
                ["id": Fleet.firstID, "name": "alpha", "model": "org/model-gguf:Q4_K_M", "state": "online"],
            ])
        #expect(
            live["hf_info"] as? NSDictionary == [
                "downloads": 12, "likes": 3, "last_modified": "2026-01-02T03:04:05.000Z",
                "fetched_at": "2027-01-15T08:00:00.000Z", "stale": false,
            ])
        #expect(
            live["verification"] as? NSArray == [
                [
                    "endpoint": "alpha", "endpoint_id": Fleet.firstID, "model": "n", "outcome": "ok", "tokens": 2,
                    "latency_ms": 31, "text": "Hello\n\"", "error": NSNull(), "at": "2027-01-15T08:00:00.500Z",
                ] as NSDictionary,
                [
                    "endpoint": "beta", "endpoint_id": Fleet.secondID, "model": "m", "outcome": "timeout",
                    "tokens": NSNull(), "latency_ms": 900, "text": NSNull(),
                    "error": ["code": "timeout", "message": "late"], "at": "2027-01-15T08:00:00.000Z",
                ] as NSDictionary,
            ])
    }

    /// What is encoded already must not be answered once it is no longer true: each of these changes another part.
    @Test func answersFollowEveryChange() async throws {
        let bench = try Bench(Registered.usual)
        func live() async throws -> [String: Any] {
            let list = try await bench.send("GET", "/v0/models/hub").json()["models"] as? [[String: Any]]
            return list?.first ?? [:]
        }
        func endpointNames() async throws -> [String]? {
            (try await live()["endpoints"] as? [[String: String]])?.compactMap { $0["name"] }
        }
        #expect(try await endpointNames() == ["alpha", "alpha"])
        bench.catalog.apply([Fleet.record(Fleet.firstID, "renamed", revision: 4)])
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 4, tick: 11, models: ["org/model-gguf"])])
        #expect(try await endpointNames() == ["renamed"])
        func verified(generation: Int64) -> CatalogMessage {
            .verifyResult(
                VerifyResult(
                    registration: Registered.name, number: 9 + generation, endpoint: Fleet.secondID,
                    generation: generation, model: ModelID("m"), outcome: .ok, by: "p1", at: 1))
        }
        bench.catalog.apply([verified(generation: 2)])
        #expect((try await live()["verification"] as? [[String: Any]])?.first?["endpoint"] as? String == "beta")
        bench.catalog.apply([Fleet.record(Fleet.secondID, "beta2", revision: 5)])
        #expect((try await live()["verification"] as? [[String: Any]])?.isEmpty == true, "another server by now")
        bench.catalog.apply([verified(generation: 5)])
        #expect((try await live()["verification"] as? [[String: Any]])?.first?["endpoint"] as? String == "beta2")
        bench.catalog.apply([
            Fleet.row(Fleet.firstID, generation: 4, tick: 12, state: .offline, models: ["org/model-gguf"])
        ])
        #expect(try await live()["status"] as? String == "registered")
        var changed = Registered.record(revision: 9)
        changed.displayName = "Other"
        bench.catalog.apply([Registered.change(changed)])
        #expect(try await live()["display_name"] as? String == "Other")
        #expect(try await bench.send("GET", "/v0/models").text.contains("Other"))
        bench.catalog.apply([
            .registryChanged(RegistryChange(tombstoneOf: .registration, id: Registered.name, revision: 10))
        ])
        for path in ["/v0/models", "/v0/models/hub"] {
            #expect(try await bench.send("GET", path).text == #"{"models":[],"total":0}"#)
        }
    }

    @Test(arguments: [
        "org/model-gguf", "org%2Fmodel-gguf", "org%2fmodel-gguf", "Org/Model-GGUF", "ORG%2FMODEL-GGUF",
        "%6Frg/model-gguf",
    ])
    func namesAreFoundInAnySpelling(name: String) async throws {
        let bench = try Bench(Registered.usual)
        for path in ["/v0/models/\(name)", "/v0/models/registry/\(name)/manifest.json"] {
            let answer = try await bench.send("GET", path)
            #expect(answer.status == 200, "\(path)")
            #expect(try answer.json()["name"] as? String == Registered.name)
        }
        for action in ["refresh", "verify"] {
            #expect(try await bench.send("POST", "/v0/models/\(name)/\(action)").status == 200)
        }
        #expect(try await bench.send("DELETE", "/v0/models/\(name)").status == 204)
        let names = bench.registrar.commands.map { command -> String in
            switch command.action {
            case .refreshModel(let name, _), .verifyModel(let name), .deleteModel(let name): name
            default: "?"
            }
        }
        #expect(names == [Registered.name, Registered.name, Registered.name])
    }

    /// The number of parts tells a route's own words from an organisation's name.
    @Test(arguments: [
        "register/foo", "hub/foo", "registry/foo", "registry/manifest.json", "a/refresh", "verify/verify",
    ])
    func organisationsMayBeCalledLikeRoutes(name: String) async throws {
        let bench = try Bench([Registered.change(Registered.record(name, revision: 3))])
        #expect(try await bench.send("GET", "/v0/models/\(name)").json()["name"] as? String == name)
        let manifest = try await bench.send("GET", "/v0/models/registry/\(name)/manifest.json")
        #expect(try manifest.json()["name"] as? String == name)
        for action in ["refresh", "verify"] {
            #expect(try await bench.send("POST", "/v0/models/\(name)/\(action)").status == 200)
        }
        #expect(try await bench.send("DELETE", "/v0/models/\(name)").status == 204)
    }

    @Test func manifestIsServedWithAStrongTag() async throws {
        let record = Registered.record(revision: 3, files: 30)
        let bench = try Bench([Registered.change(record)])
        let path = "/v0/models/registry/org/model-gguf/manifest.json"
        let answer = try await bench.send("GET", path)
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
        #expect(try JSONDecoder().decode(Manifest.self, from: Data(answer.bytes)) == record.manifest)
        #expect(answer.text.contains("https://hub.test/") && answer.text.hasPrefix(#"{"commit":"#))
        let tag = "\"\(record.manifest.digest)\""
        #expect(answer.header("ETag") == tag)
        for condition in [tag, "\"x\", W/\(tag)", "*"] {
            let unchanged = try await bench.send("GET", path, headers: ["If-None-Match": condition])
            #expect(unchanged.status == 304 && unchanged.bytes.isEmpty && unchanged.header("ETag") == tag)
        }
        #expect(try await bench.send("GET", path, headers: ["If-None-Match": "\"sha256:0\""]).status == 200)
        let head = try await bench.send("HEAD", path)
        #expect(head.status == 200 && head.bytes.isEmpty && head.header("Content-Length") == "\(answer.bytes.count)")
    }

    @Test func notReadyIs503() async throws {
        let bench = try Bench(Registered.usual)
        bench.catalog.setReadiness { $0.isReady = false }
        let calls = [
            ("GET", "/v0/models"), ("GET", "/v0/models/hub"), ("GET", "/v0/models/org/model-gguf"),
            ("GET", "/v0/models/registry/org/model-gguf/manifest.json"), ("POST", "/v0/models/register"),
            ("DELETE", "/v0/models/org/model-gguf"), ("POST", "/v0/models/org/model-gguf/refresh"),
            ("POST", "/v0/models/org/model-gguf/verify"),
        ]
        for (method, path) in calls {
            let answer = try await bench.send(method, path)
            #expect(answer.status == 503, "\(method) \(path)")
            #expect(try answer.errorCode() == "catalog_not_ready")
        }
        #expect(bench.registrar.commands.isEmpty)
    }
}
