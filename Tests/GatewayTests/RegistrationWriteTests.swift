import AMQP
import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct RegistrationWriteTests {
    static let whole = RegistrationReadTests.recordFields.union(RegistrationReadTests.liveFields)
        .union(["chat_template"])

    @Test func registerAnswersWithTheRecord() async throws {
        let bench = try Bench()
        let body = """
            {"repo":"Org/Name","filename":"a/b.gguf","quantization":"Q8_0","revision":"v1","display_name":"N \\u00e9",
             "chat_template":"{% if a %}\\n\\tb\\r\\n{% endif %}"}
            """
        let answer = try await bench.send("POST", "/v0/models/register", body)
        #expect(answer.status == 201 && answer.header("Location") == "/v0/models/org/name")
        let record = try answer.json()
        #expect(Set(record.keys) == Self.whole)
        #expect(record["name"] as? String == "org/name" && record["status"] as? String == "registered")
        #expect(record["chat_template"] as? String == "{% if a %}\n\tb\r\n{% endif %}")
        let expected = RegistrationRequest(
            repo: "Org/Name", filename: "a/b.gguf", quantization: "Q8_0", revision: "v1", displayName: "N \u{e9}",
            chatTemplate: "{% if a %}\n\tb\r\n{% endif %}")
        let command = try #require(bench.registrar.commands.first)
        #expect(command.action == .registerModel(expected))
        // Longer than the outcome is waited for: a queue of such commands may take its time.
        #expect(command.deadline == 1_800_000_000_000 + 300_000)
        #expect(try await bench.send("GET", "/v0/models/org/name").bytes == answer.bytes)
    }

    @Test func aDryRunShowsAndRegistersNothing() async throws {
        let bench = try Bench(Registered.usual)
        let path = "/v0/models/register?dry_run=true"
        let answer = try await bench.send("POST", path, #"{"repo":" Org/New\n"}"#)
        #expect(answer.status == 200 && answer.header("Location") == nil)
        #expect(bench.registrar.commands.map(\.action) == [.previewModel(RegistrationRequest(repo: "Org/New"))])
        let preview = try answer.json()
        #expect(preview["dry_run"] as? Bool == true && preview["name"] as? String == "org/new")
        #expect(preview["required_memory_bytes"] as? Int == 6_000_000_000)
        let file = try #require((preview["files"] as? [[String: Any]])?.first)
        #expect(file["path"] as? String == "weights/model-0.gguf" && file["role"] as? String == "weights")
        #expect(file["size_bytes"] as? Int == 4_000_000_000 && file["optional"] as? Bool == false)
        let endpoints = try #require(preview["endpoints"] as? [[String: Any]])
        #expect(endpoints.map { $0["name"] as? String } == ["alpha", "beta"])
        #expect(endpoints.allSatisfy { $0["fits"] is NSNull })
        let warnings = try #require(preview["warnings"] as? [[String: Any]])
        #expect(warnings.map { $0["code"] as? String } == ["gated_repository", "memory_unknown"])
        #expect(try await bench.send("GET", "/v0/models/org/new").status == 404)
        let operation = try await bench.send("GET", "/v0/operations/\(bench.registrar.commands[0].id)").json()
        #expect((operation["preview"] as? [String: Any])?["name"] as? String == "org/new")
    }

    @Test func aDryRunSaysWhereTheModelFits() async throws {
        let bench = try Bench(Registered.usual)
        bench.catalog.apply([
            Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["x"], memory: 5_999_999_999),
            Fleet.row(Fleet.secondID, generation: 2, tick: 11, models: ["x"], memory: 6_000_000_000),
        ])
        let answer = try await bench.send("POST", "/v0/models/register?dry_run=1", #"{"repo":"Org/New"}"#).json()
        let endpoints = try #require(answer["endpoints"] as? [[String: Any]])
        #expect(endpoints.map { $0["fits"] as? Bool } == [false, true])
        #expect(endpoints.map { $0["gpu_memory_bytes"] as? Int } == [5_999_999_999, 6_000_000_000])
    }

    @Test func aDryRunAndTheRegistrationAfterItAreTwoRequests() async throws {
        let bench = try Bench()
        let headers = ["Idempotency-Key": "one"]
        let dry = "/v0/models/register?dry_run=true"
        #expect(try await bench.send("POST", dry, #"{"repo":"a/b"}"#, headers: headers).status == 200)
        let after = try await bench.send("POST", "/v0/models/register", #"{"repo":"a/b"}"#, headers: headers)
        #expect(after.status == 422)
        let odd = try await bench.send("POST", "/v0/models/register?dry_run=perhaps", #"{"repo":"a/b"}"#)
        #expect(try odd.status == 400 && odd.errorCode() == "invalid_dry_run")
    }

    @Test func whatIsLeftOutOrNullIsNotSaid() async throws {
        let bench = try Bench()
        let body = #"{"repo":"https://hub.test/a/b/tree/main?x=1","filename":null,"quantization":null,"revision":null}"#
        _ = try await bench.send("POST", "/v0/models/register", body)
        #expect(
            bench.registrar.commands.map(\.action) == [
                .registerModel(RegistrationRequest(repo: "https://hub.test/a/b/tree/main?x=1"))
            ])
    }

    @Test func theLongestAllowedIsTaken() async throws {
        let bench = try Bench()
        func text(_ count: Int) -> String { String(repeating: "x", count: count) }
        let body = """
            {"repo":"\(text(2048))","filename":"\(text(1024))","quantization":"\(text(64))","revision":"\(text(255))",
             "display_name":"\(text(200))","chat_template":"\(text(1_000_000))"}
            """
        #expect(try await bench.send("POST", "/v0/models/register", body).status == 201)
    }

    @Test func whatTheRegistrarRefusesIsPassedOn() async throws {
        let bench = try Bench(Registered.usual)
        let known = try await bench.send("POST", "/v0/models/register", #"{"repo":"Org/Model-GGUF"}"#)
        #expect(known.status == 409 && known.header("Retry-After") == nil)
        #expect(try known.errorCode() == "already_registered" && known.errorParam() == "repo")
        let busy = try await bench.send("POST", "/v0/models/register", #"{"repo":"busy/x"}"#)
        #expect(busy.status == 429 && busy.header("Retry-After") == "55")
        #expect(try busy.errorCode() == "hub_error")
    }

    @Test func workThatGoesOnIs202WithItsStep() async throws {
        let bench = try Bench()
        bench.registrar.change { $0.isSilent = true }
        for headers in [[:], ["Prefer": "respond-async"]] {
            let answer = try await bench.send("POST", "/v0/models/register", #"{"repo":"a/b"}"#, headers: headers)
            #expect(answer.status == 202)
            let id = try #require(try answer.json()["operation"] as? String)
            #expect(answer.header("Location") == "/v0/operations/\(id)")
            bench.catalog.apply([
                .operationChanged(
                    Operation(id: id, state: .pending, step: "asking the Hub", status: 202, at: 1_800_000_000_001))
            ])
            let operation = try await bench.send("GET", "/v0/operations/\(id)").json()
            #expect(operation as? [String: String] == ["id": id, "state": "pending", "step": "asking the Hub"])
        }
    }

    @Test func refreshSaysWhatHasChangedAndAppliesItOnlyIfAsked() async throws {
        let bench = try Bench(Registered.usual)
        let path = "/v0/models/org/model-gguf/refresh"
        for body in [nil, "{}", #"{"apply":false}"#] {
            let answer = try await bench.send("POST", path, body)
            #expect(answer.status == 200)
            let record = try answer.json()
            #expect(Set(record.keys) == Self.whole)
            #expect((record["drift"] as? [String: Any])?["commit"] as? String == String(repeating: "b", count: 40))
            #expect(record["commit"] as? String == String(repeating: "a", count: 40))
        }
        let applied = try await bench.send("POST", path, #"{"apply":true}"#)
        #expect(try applied.json()["commit"] as? String == String(repeating: "b", count: 40))
        let asked = bench.registrar.commands.map(\.action)
        #expect(asked == [false, false, false, true].map { .refreshModel(name: Registered.name, isApplied: $0) })
    }

    @Test func verifyAnswersWithTheResults() async throws {
        let bench = try Bench(Registered.usual)
        let answer = try await bench.send("POST", "/v0/models/org/model-gguf/verify", "{}")
        #expect(answer.status == 200)
        let record = try answer.json()
        #expect(Set(record.keys) == Self.whole)
        let results = try #require(record["verification"] as? [[String: Any]])
        #expect(results.count == 1 && results[0]["outcome"] as? String == "ok")
        #expect(results[0]["endpoint"] as? String == "alpha" && results[0]["tokens"] as? Int == 2)
        #expect(bench.registrar.commands.map(\.action) == [.verifyModel(name: Registered.name)])
    }

    @Test func deleteRemoves() async throws {
        let bench = try Bench(Registered.usual)
        let answer = try await bench.send("DELETE", "/v0/models/org/model-gguf")
        #expect(answer.status == 204 && answer.bytes.isEmpty)
        #expect(try await bench.send("GET", "/v0/models/org/model-gguf").status == 404)
        #expect(try await bench.send("DELETE", "/v0/models/org/model-gguf").status == 404)
        #expect(bench.registrar.commands.count == 1, "the second was decided here")
    }

    @Test func underAKeyTheRegistrarDecidesWhetherThereIsOne() async throws {
        let bench = try Bench(Registered.usual)
        let path = "/v0/models/Org/Model-GGUF"
        for _ in 1...2 {
            #expect(try await bench.send("DELETE", path, headers: ["Idempotency-Key": "d"]).status == 204)
        }
        for (method, path) in [("POST", path + "/refresh"), ("POST", path + "/verify"), ("DELETE", path)] {
            let answer = try await bench.send(method, path, headers: ["Idempotency-Key": "\(method)\(path.count)"])
            #expect(answer.status == 404, "\(method) \(path)")
            #expect(try answer.errorCode() == "model_not_registered")
        }
        #expect(bench.registrar.commands.count == 5)
    }

    @Test func repeatsUnderOneKeyHaveOneEffect() async throws {
        let bench = try Bench()
        let headers = ["Idempotency-Key": "k"]
        let first = try await bench.send("POST", "/v0/models/register", #"{"repo":"a/b"}"#, headers: headers)
        let second = try await bench.send("POST", "/v0/models/register", #"{"repo":"a/b"}"#, headers: headers)
        #expect(first.status == 201 && second.status == 201 && first.bytes == second.bytes)
        let other = try await bench.send("POST", "/v0/models/register", #"{"repo":"a/c"}"#, headers: headers)
        #expect(other.status == 422)
    }

    @Test func brokerFailuresAre503() async throws {
        let bench = try Bench(Registered.usual)
        bench.registrar.change { $0.failure = AMQPError(.notConnected, "amqp://user:secret@host is away") }
        let calls = [
            ("POST", "/v0/models/register", #"{"repo":"a/b"}"#), ("POST", "/v0/models/org/model-gguf/refresh", nil),
            ("POST", "/v0/models/org/model-gguf/verify", nil), ("DELETE", "/v0/models/org/model-gguf", nil),
        ]
        for (method, path, body) in calls {
            let answer = try await bench.send(method, path, body)
            #expect(answer.status == 503, "\(method) \(path)")
            #expect(try answer.errorCode() == "broker_unavailable")
        }
        #expect(try await bench.send("GET", "/v0/models/hub").status == 200)
    }
}
