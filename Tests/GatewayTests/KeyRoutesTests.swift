import AMQP
import Catalog
import Foundation
import Testing

@testable import Gateway

@Suite struct KeyRoutesTests {
    static let admin = ["X-API-Key": Keys.admin]

    private func bench(_ messages: [CatalogMessage] = [], limits: (inout GatewayLimits) -> Void = { _ in }) throws
        -> Bench
    {
        try Bench(messages, adminKey: Keys.admin, limits: limits)
    }

    @Test func aKeyIsShownOnceAndWorks() async throws {
        let bench = try bench()
        let body =
            #"{"name":"laptop","scopes":["models","endpoints:read"],"models":["org/*"],"expires_at":"2027-01-15T10:00:00+01:00"}"#
        let made = try await bench.send("POST", "/v0/keys", body, headers: Self.admin)
        #expect(made.status == 201)
        let answer = try made.json()
        #expect(Set(answer.keys) == ["id", "name", "scopes", "models", "expires_at", "created_at", "key", "enforced"])
        #expect(answer["enforced"] as? Bool == true)
        let id = try #require(answer["id"] as? String)
        let key = try #require(answer["key"] as? String)
        #expect(UUID(uuidString: id)?.uuidString.lowercased() == id)
        #expect(answer["name"] as? String == "laptop" && answer["models"] as? [String] == ["org/*"])
        #expect(answer["scopes"] as? [String] == ["endpoints:read", "models"])
        #expect(answer["expires_at"] as? String == "2027-01-15T09:00:00Z")
        #expect(answer["created_at"] as? String == "2027-01-15T08:00:00Z")
        #expect(made.header("Cache-Control") == "no-store")
        #expect(key.hasPrefix("rc_") && key.utf8.count == 46)
        #expect(
            key.dropFirst(3).utf8.allSatisfy {
                $0 == 45 || $0 == 95 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            })

        #expect(try await bench.send("GET", "/v1/models", headers: ["Authorization": "Bearer \(key)"]).status == 200)
        let list = try await bench.send("GET", "/v0/keys", headers: Self.admin)
        var listed = answer
        listed["key"] = nil
        listed["enforced"] = nil
        #expect(try list.json()["total"] as? Int == 1)
        #expect(try list.json()["keys"] as? NSArray == [listed as NSDictionary])
        #expect(!list.text.contains(key) && !list.text.contains(Keys.digest(key)))

        #expect(try await bench.send("DELETE", "/v0/keys/\(id.uppercased())", headers: Self.admin).status == 204)
        #expect(try await bench.send("GET", "/v1/models", headers: ["Authorization": "Bearer \(key)"]).status == 401)
        #expect(
            try await bench.send("GET", "/v0/keys", headers: Self.admin).text
                == #"{"enforced":true,"keys":[],"total":0}"#)
        #expect(try await bench.send("DELETE", "/v0/keys/\(id)", headers: Self.admin).errorCode() == "key_not_found")
    }

    @Test func whatIsLeftOutIsNull() async throws {
        let made = try await bench().send(
            "POST", "/v0/keys", #"{"name":"a","scopes":["inference"],"models":null,"expires_at":null}"#,
            headers: Self.admin)
        #expect(made.status == 201)
        #expect(try made.json()["models"] is NSNull && made.json()["expires_at"] is NSNull)
    }

    @Test(arguments: [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"), ("2030-01-01T00:00:00.9999999Z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T02:30:00+02:30", "2030-01-01T00:00:00Z"), ("2029-12-31T16:00:00.5-08:00", "2030-01-01T00:00:00Z"),
        ("2027-01-15T08:00:01Z", "2027-01-15T08:00:01Z"), ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ])
    func expiryIsKeptInUTC(_ asked: String, _ kept: String) async throws {
        let made = try await bench().send(
            "POST", "/v0/keys", #"{"name":"a","scopes":["models"],"expires_at":"\#(asked)"}"#, headers: Self.admin)
        #expect(try made.json()["expires_at"] as? String == kept, "\(made.text)")
    }

    @Test func theKeyIsInNoLogAndNoCommand() async throws {
        let bench = try bench()
        let headers = Self.admin.merging(["Idempotency-Key": "once"]) { $1 }
        let made = try await bench.send("POST", "/v0/keys", Keys.draft, headers: headers)
        let key = try #require(try made.json()["key"] as? String)
        // Good, bad, and repeated uses, all logged at trace.
        _ = try await bench.send("POST", "/v0/keys", Keys.draft, headers: headers)
        _ = try await bench.send("GET", "/v1/models", headers: ["X-API-Key": key])
        _ = try await bench.send("GET", "/v0/keys", headers: ["X-API-Key": key])
        _ = try await bench.send("GET", "/v0/keys", headers: ["X-API-Key": key + "x"])
        _ = try await bench.send("GET", "/v0/keys", headers: ["X-API-Key": key, "Authorization": "Bearer x"])
        #expect(bench.log.lines.contains { $0.contains("insufficient_scope") })
        #expect(bench.log.lines.contains { $0.contains("invalid_api_key") })
        let secret = key.dropFirst(KeyRules.prefix.count)
        #expect(!bench.log.lines.contains { $0.contains(secret) || $0.contains(Keys.digest(key)) })
        let commands = try bench.registrar.commands.map {
            String(decoding: try JSONEncoder().encode($0), as: UTF8.self)
        }
        #expect(commands.count == 2 && commands.allSatisfy { !$0.contains(secret) && !$0.contains(Keys.admin) })
        #expect(commands[0].contains(Keys.digest(key)), "its digest is what the registry keeps")
    }

    @Test func aRepeatIsToldThatTheKeyWasIssued() async throws {
        let bench = try bench()
        let headers = Self.admin.merging(["Idempotency-Key": "once"]) { $1 }
        let made = try await bench.send("POST", "/v0/keys", Keys.draft, headers: headers)
        #expect(made.status == 201)
        let id = try #require(try made.json()["id"] as? String)
        let again = try await bench.send("POST", "/v0/keys", Keys.draft, headers: headers)
        #expect(again.status == 409)
        #expect(try again.errorCode() == "key_already_issued" && again.text.contains(id))
        #expect(!again.text.contains("rc_"))
        let other = try await bench.send(
            "POST", "/v0/keys", #"{"name":"other","scopes":["models"]}"#, headers: headers)
        #expect(try other.status == 422 && other.errorCode() == "idempotency_key_reused")
        #expect(bench.catalog.read { $0.keys }.count == 1)
        // Also once it is revoked, and the first key is the one that counts until then.
        #expect(try await bench.send("DELETE", "/v0/keys/\(id)", headers: Self.admin).status == 204)
        let late = try await bench.send("POST", "/v0/keys", Keys.draft, headers: headers)
        #expect(try late.status == 409 && late.errorCode() == "key_already_issued")
    }

    @Test func withoutAnIdempotencyKeyEachIsAnotherKey() async throws {
        let bench = try bench()
        var keys: Set<String> = []
        for _ in 0..<20 {
            let made = try await bench.send("POST", "/v0/keys", Keys.draft, headers: Self.admin).json()
            keys.insert(try #require(made["key"] as? String))
            keys.insert(try #require(made["id"] as? String))
        }
        #expect(keys.count == 40)
    }

    @Test func aRepeatedRevocationHasTheSameAnswer() async throws {
        let bench = try bench(Keys.usual)
        let headers = Self.admin.merging(["Idempotency-Key": "once"]) { $1 }
        for _ in 0..<2 {
            #expect(try await bench.send("DELETE", "/v0/keys/only-models", headers: headers).status == 204)
        }
        let missing = try await bench.send(
            "DELETE", "/v0/keys/none", headers: Self.admin.merging(["Idempotency-Key": "other"]) { $1 })
        #expect(try missing.status == 404 && missing.errorCode() == "key_not_found")
    }

    /// Shown once means waited for: the preference not to wait is left unheeded.
    @Test func respondAsyncIsIgnored() async throws {
        let made = try await bench().send(
            "POST", "/v0/keys", Keys.draft, headers: Self.admin.merging(["Prefer": "respond-async"]) { $1 })
        #expect(made.status == 201)
        #expect(try made.json()["key"] is String)
    }

    @Test func whereTheOutcomeDoesNotComeItIsSaidWhatToDo() async throws {
        let bench = try bench()
        bench.registrar.change { $0.isSilent = true }
        let silent = try await bench.send("POST", "/v0/keys", Keys.draft, headers: Self.admin)
        bench.registrar.change { $0.failure = AMQPError(.unconfirmed, "no confirm") }
        let unconfirmed = try await bench.send("POST", "/v0/keys", Keys.draft, headers: Self.admin)
        for answer in [silent, unconfirmed] {
            #expect(try answer.status == 503 && answer.errorCode() == "outcome_unknown")
            #expect(answer.text.contains("GET /v0/keys") && answer.text.contains("revoke"))
        }
        guard case .createKey(let draft) = try #require(bench.registrar.commands.first).action else {
            Issue.record("another command")
            return
        }
        #expect(silent.text.contains(draft.id))
        bench.registrar.change { $0.failure = AMQPError(.notConnected, "away") }
        let away = try await bench.send("POST", "/v0/keys", Keys.draft, headers: Self.admin)
        #expect(try away.status == 503 && away.errorCode() == "broker_unavailable")
    }

    @Test func whatTheRegistrarRefusesIsAnswered() async throws {
        let bench = try bench(Keys.usual)
        let answer = try await bench.send("POST", "/v0/keys", Keys.draft, headers: ["X-API-Key": "rc_only-models"])
        #expect(try answer.status == 403 && answer.errorCode() == "insufficient_scope")
        #expect(bench.registrar.commands.isEmpty)
    }
}
