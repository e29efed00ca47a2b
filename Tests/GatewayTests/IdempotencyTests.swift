import Catalog
import Testing

@testable import Gateway

@Suite struct IdempotencyTests {
    static let key = ["Idempotency-Key": "once"]

    @Test func theWayAPathIsSpelledDoesNotMatter() async throws {
        let bench = try Bench(Fleet.usual)
        for path in ["/v0/endpoints/alpha", "/v0/endpoints/%61lpha", "/v0/endpoints/alpha/", "/%760/endpoints/alpha"] {
            let answer = try await bench.send("PATCH", path, #"{"labels":{"a":"b"}}"#, headers: Self.key)
            #expect(answer.status == 200, "\(path): \(answer.text)")
        }
        #expect(Set(bench.registrar.commands.map(\.fingerprint)).count == 1)
        let other = try await bench.send(
            "PATCH", "/v0/endpoints/beta", #"{"labels":{"a":"b"}}"#, headers: Self.key)
        #expect(other.status == 422)
    }

    @Test func aPollChecksTheKey() async throws {
        let bench = try Bench(Fleet.usual, limits: { $0.poll = .milliseconds(10) })
        for key in [String(repeating: "k", count: 256), "a b"] {
            let answer = try await bench.send(
                "POST", "/v0/endpoints/alpha/poll", headers: ["Idempotency-Key": key])
            #expect(try answer.status == 400 && answer.errorCode() == "invalid_idempotency_key")
        }
        #expect(bench.registrar.published.isEmpty)
        #expect(try await bench.send("POST", "/v0/endpoints/alpha/poll", headers: Self.key).status == 202)
    }

    /// Another gateway has made it a moment ago. The registrar would keep a 404 for the key.
    @Test(.timeLimit(.minutes(1)), arguments: ["DELETE", "PATCH"])
    func aNameThatIsOnItsWayIsWaitedFor(_ method: String) async throws {
        let bench = try Bench(Fleet.usual, limits: { $0.unknownName = .seconds(30) })
        let body = method == "PATCH" ? #"{"api_key":"k"}"# : nil
        async let answer = bench.send(method, "/v0/endpoints/gamma", body, headers: Self.key)
        while bench.catalog.waits == 0 { await Task.yield() }
        #expect(bench.registrar.commands.isEmpty)
        let id = "33333333-3333-4333-8333-333333333333"
        bench.catalog.apply([Fleet.record(id, "gamma", revision: 20)])
        #expect(try await answer.status == (method == "PATCH" ? 200 : 204))
        switch bench.registrar.commands.first?.action {
        case .deleteEndpoint(let target): #expect(target == id)
        case .updateEndpoint(let target, let change):
            guard case .set(let sealed)? = change.sealedAPIKey else { throw Unexpected() }
            #expect(try KeyRing(Bench.secretKey).unseal(sealed, for: id) == "k" && target == id)
        default: throw Unexpected()
        }
    }

    /// A wait would last longer than the test may.
    @Test(.timeLimit(.minutes(1))) func aRepeatDoesNotWaitForWhatItRemoved() async throws {
        let bench = try Bench(Fleet.usual, limits: { $0.unknownName = .seconds(3600) })
        for _ in 0..<2 {
            #expect(try await bench.send("DELETE", "/v0/endpoints/alpha", headers: Self.key).status == 204)
        }
        // An id is exact: the registrar knows it if there is one.
        let unknown = try await bench.send(
            "DELETE", "/v0/endpoints/99999999-3333-4333-8333-333333333333", headers: ["Idempotency-Key": "other"])
        #expect(unknown.status == 404 && bench.registrar.commands.count == 3)
    }

    /// Not even the registrar's own 404, which it would keep for a day.
    @Test func aGatewayThatIsCutOffSaysNothingOfNames() async throws {
        let bench = try Bench(Fleet.usual)
        bench.catalog.setReadiness { $0.isCurrent = false }
        let answer = try await bench.send("DELETE", "/v0/endpoints/gamma", headers: Self.key)
        #expect(try answer.status == 503 && answer.errorCode() == "catalog_not_current")
        #expect(answer.header("Retry-After") == "2" && bench.registrar.commands.isEmpty)
        #expect(try await bench.send("DELETE", "/v0/endpoints/alpha", headers: Self.key).status == 204)
    }

    struct Unexpected: Error {}
}
