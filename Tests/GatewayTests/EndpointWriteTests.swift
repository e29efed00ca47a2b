import AMQP
import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct EndpointWriteTests {
    static let draft = #"{"name":"new","base_url":"http://New:80/v1/"}"#

    @Test func createAnswersWithTheRecord() async throws {
        let bench = try Bench()
        let body = """
            {"name":"new","base_url":"http://new:1/v1","kind":"vllm","labels":{"a":"b"},"poll_interval_seconds":7,
             "max_concurrency":3,"api_key":"sk-plain-secret"}
            """
        let answer = try await bench.send("POST", "/v0/endpoints", body)
        #expect(answer.status == 201)
        let record = try answer.json()
        let id = try #require(record["id"] as? String)
        #expect(UUID(uuidString: id) != nil && id == id.lowercased())
        #expect(answer.header("Location") == "/v0/endpoints/\(id)")
        #expect(record["base_url"] as? String == "http://new:1" && record["state"] as? String == "pending")
        #expect(record["has_api_key"] as? Bool == true && record["poll_interval_seconds"] as? Int == 7)
        #expect(try await bench.send("GET", "/v0/endpoints/new").status == 200)

        let command = try #require(bench.registrar.commands.first)
        #expect(command.deadline == 1_800_000_000_000 + 300 && command.caller == "anonymous")
        #expect(command.id.count == 32 && command.request.count == 32 && command.id != command.request)
        guard case .createEndpoint(let draft) = command.action else { throw Unexpected() }
        let sealed = try #require(draft.sealedAPIKey)
        #expect(try KeyRing(Bench.secretKey).unseal(sealed, for: id) == "sk-plain-secret")
    }

    @Test func aRequestsTraceGoesOnWithItsCommand() async throws {
        let bench = try Bench()
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        for (value, isValid) in [(parent, true), ("00-x", false)] {
            let headers = ["traceparent": value, "tracestate": "a=1"]
            _ = try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers)
            #expect(bench.registrar.traces.last == (isValid ? TraceContext(parent: parent, state: "a=1") : nil))
        }
        _ = try await bench.send("DELETE", "/v0/endpoints/new")
        #expect(bench.registrar.traces.last == .some(nil))
    }

    @Test func noKeyIsInAnyAnswerOrLogLine() async throws {
        let bench = try Bench()
        var texts: [String] = []
        let bodies = [
            #"{"name":"new","base_url":"http://new:1","api_key":"sk-plain-secret"}"#,
            #"{"name":"new","base_url":"http://new:1","api_key":"sk-plain-secret"}"#,
            #"{"name":"a b","base_url":"http://new:1","api_key":"sk-plain-secret"}"#,
            #"{"name":"c","base_url":"http://new:1","api_key":"sk-plain-secret","kind":"sk-plain-secret-kind"}"#,
            #"{"name":"c","base_url":"http://new:1","api_key":["sk-plain-secret"]}"#,
            #"{"name":"c","api_key":"sk-plain-secret""#,
        ]
        for body in bodies { texts.append(try await bench.send("POST", "/v0/endpoints", body).text) }
        texts.append(try await bench.send("PATCH", "/v0/endpoints/new", #"{"api_key":"sk-plain-secret"}"#).text)
        texts.append(try await bench.send("GET", "/v0/endpoints/new").text)
        #expect(!texts.contains { $0.contains("sk-plain-secret") })
        #expect(!bench.log.lines.isEmpty && !bench.log.lines.contains { $0.contains("sk-plain") })
        let commands = try JSONEncoder().encode(bench.registrar.commands)
        #expect(!String(decoding: commands, as: UTF8.self).contains("sk-plain"))
    }

    @Test func withoutASecretKeyAnAPIKeyIsRefused() async throws {
        let bench = try Bench(Fleet.usual, secretKey: nil)
        let created = try await bench.send(
            "POST", "/v0/endpoints", #"{"name":"n","base_url":"http://n","api_key":"k"}"#)
        #expect(created.status == 400)
        #expect(try created.errorCode() == "secret_key_missing" && created.errorParam() == "api_key")
        #expect(try await bench.send("PATCH", "/v0/endpoints/alpha", #"{"api_key":"k"}"#).status == 400)
        #expect(bench.registrar.commands.isEmpty)
        #expect(try await bench.send("PATCH", "/v0/endpoints/alpha", #"{"api_key":null}"#).status == 200)
        #expect(try await bench.send("POST", "/v0/endpoints", Self.draft).status == 201)
    }

    @Test func changeSendsWhatIsGivenAndNothingElse() async throws {
        let bench = try Bench(Fleet.usual)
        let body =
            #"{"labels":null,"poll_interval_seconds":null,"max_concurrency":5,"draining":true,"api_key":null,"kind":null}"#
        let answer = try await bench.send("PATCH", "/v0/endpoints/alpha", body)
        #expect(answer.status == 200)
        #expect(try answer.json()["draining"] as? Bool == true)
        var expected = EndpointChange()
        expected.labels = [:]
        expected.kind = .auto
        expected.pollIntervalSeconds = .clear
        expected.maxConcurrency = .set(5)
        expected.draining = true
        expected.sealedAPIKey = .clear
        #expect(bench.registrar.commands.map(\.action) == [.updateEndpoint(id: Fleet.firstID, expected)])
        #expect(try await bench.send("PATCH", "/v0/endpoints/\(Fleet.firstID)", "{}").status == 200)
        #expect(bench.registrar.commands.last?.action == .updateEndpoint(id: Fleet.firstID, EndpointChange()))
    }

    @Test func aByteOrderMarkBeforeABodyIsAccepted() async throws {
        let bench = try Bench(Registered.usual)
        let calls = [
            ("POST", "/v0/endpoints", Self.draft, 201), ("PATCH", "/v0/endpoints/alpha", "{}", 200),
            ("POST", "/v0/models/register", #"{"repo":"a/b"}"#, 201), ("POST", "/v0/keys", Keys.draft, 201),
            ("POST", "/v0/models/org/model-gguf/refresh", "{}", 200),
        ]
        for (method, path, body, status) in calls {
            #expect(try await bench.send(method, path, "\u{FEFF}" + body).status == status, "\(path)")
        }
    }

    @Test func deleteRemoves() async throws {
        let bench = try Bench(Fleet.usual)
        let answer = try await bench.send("DELETE", "/v0/endpoints/alpha")
        #expect(answer.status == 204 && answer.bytes.isEmpty)
        #expect(try await bench.send("GET", "/v0/endpoints/alpha").status == 404)
        #expect(try await bench.send("DELETE", "/v0/endpoints/alpha").status == 404)
        #expect(try await bench.send("GET", "/v1/models").text == #"{"object":"list","data":[]}"#)
    }

    @Test func whatTheRegistrarRefusesIsPassedOn() async throws {
        let answer = try await Bench(Fleet.usual).send(
            "POST", "/v0/endpoints", #"{"name":"alpha","base_url":"http://x"}"#)
        #expect(answer.status == 409)
        #expect(try answer.errorCode() == "name_taken" && answer.errorParam() == "name")
    }

    @Test func repeatsUnderOneKeyHaveOneEffect() async throws {
        let bench = try Bench()
        let headers = ["Idempotency-Key": "k-1"]
        let first = try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers)
        let second = try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers)
        #expect(first.status == 201 && second.status == 201 && first.bytes == second.bytes)
        let commands = bench.registrar.commands
        #expect(commands.count == 2 && commands[0].id == commands[1].id && commands[0].id.count == 64)
        #expect(commands[0].request != commands[1].request)
        #expect(commands[0].fingerprint == commands[1].fingerprint)

        let other = try await bench.send(
            "POST", "/v0/endpoints", #"{"name":"z","base_url":"http://z"}"#, headers: headers)
        #expect(other.status == 422)
        #expect(try other.errorCode() == "idempotency_key_reused")
        let fresh = try await bench.send(
            "POST", "/v0/endpoints", #"{"name":"z","base_url":"http://z"}"#, headers: ["Idempotency-Key": "k-2"])
        #expect(fresh.status == 201)
    }

    /// It is repeated for whoever sent the first request once more, while this one waits for an answer of its own.
    @Test func theOutcomeOfAnotherRequestUnderTheSameKeyIsNotTheAnswer() async throws {
        let bench = try Bench()
        let headers = ["Idempotency-Key": "k"]
        #expect(try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers).status == 201)
        let id = try #require(bench.registrar.commands.first?.id)
        var outcome = try #require(bench.catalog.read { $0.operation(id: id) })
        outcome.at += 1
        bench.registrar.change { state in
            state.isSilent = true
            state.repeated = outcome
        }
        let other = try await bench.send(
            "POST", "/v0/endpoints", #"{"name":"z","base_url":"http://z"}"#, headers: headers)
        #expect(other.status == 202)
    }

    @Test func repeatedDeleteGetsTheSameAnswer() async throws {
        let bench = try Bench(Fleet.usual)
        let headers = ["Idempotency-Key": "d"]
        #expect(try await bench.send("DELETE", "/v0/endpoints/alpha", headers: headers).status == 204)
        #expect(try await bench.send("DELETE", "/v0/endpoints/alpha", headers: headers).status == 204)
        #expect(try await bench.send("DELETE", "/v0/endpoints/never", headers: ["Idempotency-Key": "e"]).status == 404)
    }

    @Test func keysOfDifferentCallersAreDifferent() async throws {
        let anonymous = try Bench()
        try await anonymous.send("POST", "/v0/endpoints", Self.draft, headers: ["Idempotency-Key": "k"])
        let admin = try Bench(adminKey: "an-admin-key")
        try await admin.send(
            "POST", "/v0/endpoints", Self.draft, headers: ["Idempotency-Key": "k", "X-API-Key": "an-admin-key"])
        let ids = [anonymous, admin].compactMap { $0.registrar.commands.first?.id }
        #expect(ids.count == 2 && ids[0] != ids[1])
    }

    @Test(arguments: ["a b", String(repeating: "k", count: 256), "\u{e9}"])
    func malformedIdempotencyKeysAre400(key: String) async throws {
        let answer = try await Bench().send("POST", "/v0/endpoints", Self.draft, headers: ["Idempotency-Key": key])
        #expect(answer.status == 400)
        #expect(try answer.errorCode() == "invalid_idempotency_key")
    }

    @Test func respondAsyncIsAcceptedAtOnce() async throws {
        let bench = try Bench()
        bench.registrar.change { $0.isSilent = true }
        let answer = try await bench.send(
            "POST", "/v0/endpoints", Self.draft, headers: ["Prefer": "wait=5, Respond-Async"])
        #expect(answer.status == 202)
        let id = try #require(try answer.json()["operation"] as? String)
        #expect(answer.header("Location") == "/v0/operations/\(id)")
        #expect(id == bench.registrar.commands.first?.id)
        let operation = try await bench.send("GET", "/v0/operations/\(id)")
        #expect(operation.status == 200)
        #expect(try operation.json() as? [String: String] == ["id": id, "state": "pending"])
    }

    @Test func withoutAnOutcomeInTimeItIs202() async throws {
        let bench = try Bench()
        bench.registrar.change { $0.isSilent = true }
        let answer = try await bench.send("POST", "/v0/endpoints", Self.draft)
        #expect(answer.status == 202)
        let id = try #require(bench.registrar.commands.first?.id)
        bench.catalog.apply([
            .operationChanged(
                Operation(
                    id: id, state: .failed, revision: 9, status: 409,
                    error: APIError(type: "conflict_error", code: "name_taken", message: "taken"), at: 1_800_000_000_001
                ))
        ])
        let operation = try await bench.send("GET", "/v0/operations/\(id)").json()
        #expect(operation["state"] as? String == "failed")
        #expect((operation["error"] as? [String: Any])?["code"] as? String == "name_taken")
    }

    @Test func expiredCommandsAre503() async throws {
        let bench = try Bench()
        bench.registrar.change { $0.isSilent = true }
        let headers = ["Idempotency-Key": "k"]
        try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers)
        let id = try #require(bench.registrar.commands.first?.id)
        bench.catalog.apply([
            .operationChanged(Operation(id: id, state: .expired, revision: 9, status: 503, at: 1_800_000_000_001))
        ])
        let answer = try await bench.send("POST", "/v0/endpoints", Self.draft, headers: headers)
        #expect(answer.status == 503 && answer.header("Retry-After") != nil)
        #expect(try answer.errorCode() == "command_expired")
    }

    static let brokerFailures: [(AMQPError.Code, String)] = [
        (.notConnected, "broker_unavailable"), (.blocked, "broker_unavailable"), (.stopped, "broker_unavailable"),
        (.returned, "broker_unavailable"), (.nacked, "broker_unavailable"), (.unconfirmed, "outcome_unknown"),
        (.connectionLost, "outcome_unknown"), (.channelClosed, "outcome_unknown"),
    ]

    @Test(arguments: brokerFailures.indices)
    func brokerFailuresAre503(index: Int) async throws {
        let (code, expected) = Self.brokerFailures[index]
        let bench = try Bench(Fleet.usual)
        bench.registrar.change { $0.failure = AMQPError(code, "amqp://user:secret@host is away") }
        let calls = [
            ("POST", "/v0/endpoints", Self.draft), ("PATCH", "/v0/endpoints/alpha", "{}"),
            ("DELETE", "/v0/endpoints/alpha", nil), ("POST", "/v0/endpoints/alpha/poll", nil),
        ]
        for (method, path, body) in calls {
            let answer = try await bench.send(method, path, body)
            #expect(answer.status == 503, "\(method) \(path)")
            #expect(try answer.errorCode() == expected)
            #expect(answer.header("Retry-After") == "2" && !answer.text.contains("secret"))
        }
        #expect(try await bench.send("GET", "/v1/models").status == 200)
    }

    @Test func writesBeforeReadinessAre503() async throws {
        let bench = try Bench(Fleet.usual)
        bench.catalog.setReadiness { $0.isReady = false }
        for (method, path) in [("POST", "/v0/endpoints"), ("PATCH", "/v0/endpoints/a"), ("DELETE", "/v0/endpoints/a")] {
            let answer = try await bench.send(method, path, method == "DELETE" ? nil : "{}")
            #expect(answer.status == 503)
            #expect(try answer.errorCode() == "catalog_not_ready")
        }
        #expect(bench.registrar.commands.isEmpty)
    }

    @Test(.timeLimit(.minutes(1))) func pollWaitsForANewerPoll() async throws {
        let bench = try Bench(Fleet.usual, limits: { $0.poll = .seconds(30) })
        async let polling = bench.send("POST", "/v0/endpoints/alpha/poll", "{}")
        while bench.registrar.published.isEmpty { await Task.yield() }
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, models: ["now"])])
        let answer = try await polling
        #expect(answer.status == 200)
        #expect(try answer.json()["model_count"] as? Int == 1)
        #expect(bench.registrar.published == [.pollRequested(PollRequest(endpoint: Fleet.firstID, reason: "client"))])
    }

    @Test func pollThatTakesLongIs202WithTheRecord() async throws {
        let bench = try Bench(Fleet.usual, limits: { $0.poll = .milliseconds(20) })
        let answer = try await bench.send("POST", "/v0/endpoints/beta/poll")
        #expect(answer.status == 202)
        #expect(try answer.json()["name"] as? String == "beta")
    }

    struct Unexpected: Error {}
}
