import Catalog
import Foundation
import NIOCore
import Testing

@testable import Gateway

@Suite struct EndpointReadTests {
    @Test func recordHasExactlyTheContractsFields() async throws {
        let bench = try Bench(Fleet.usual)
        let polled = try await bench.send("GET", "/v0/endpoints/alpha").json()
        let fields: Set = [
            "id", "name", "base_url", "kind", "labels", "poll_interval_seconds", "max_concurrency", "draining", "state",
            "model_count", "latency_ms", "last_polled_at", "last_ok_at", "consecutive_failures", "last_error",
            "poller", "revision", "has_api_key", "created_at",
        ]
        #expect(Set(polled.keys) == fields.union(["models"]))
        #expect(polled["id"] as? String == Fleet.firstID)
        #expect(polled["kind"] as? String == "vllm", "as found out")
        #expect(polled["state"] as? String == "online")
        #expect(polled["model_count"] as? Int == 2)
        #expect(polled["latency_ms"] as? Int == 12)
        #expect(polled["last_polled_at"] as? String == "2023-11-14T22:13:22.345Z")
        #expect(polled["created_at"] as? String == "2023-11-14T22:13:20Z")
        #expect(polled["consecutive_failures"] as? Int == 0)
        #expect(polled["last_error"] is NSNull && polled["poll_interval_seconds"] is NSNull)
        #expect(polled["poller"] as? String == "p1")
        #expect(polled["has_api_key"] as? Bool == true)
        #expect((polled["models"] as? [[String: Any]])?.first?["id"] as? String == "org/family/model")

        let pending = try await bench.send("GET", "/v0/endpoints/\(Fleet.secondID)").json()
        #expect(Set(pending.keys) == fields.union(["models"]))
        #expect(pending["state"] as? String == "pending" && pending["kind"] as? String == "ollama")
        #expect(pending["last_polled_at"] is NSNull && pending["latency_ms"] is NSNull && pending["poller"] is NSNull)
        #expect(pending["has_api_key"] as? Bool == false)
        let list = try await bench.send("GET", "/v0/endpoints").json()
        #expect(Set(try #require(list["endpoints"] as? [[String: Any]])[0].keys) == fields, "no models in the list")
    }

    @Test func sealedKeysAreNeverShown() async throws {
        let bench = try Bench(Fleet.usual)
        for path in ["/v0/endpoints", "/v0/endpoints/alpha", "/v1/models"] {
            #expect(!(try await bench.send("GET", path).text.contains("sealed")), "\(path)")
        }
    }

    @Test func lastErrorIsShown() async throws {
        let failed = Fleet.row(
            Fleet.firstID, generation: 1, tick: 11, state: .degraded,
            error: PollFailure(code: "timeout", message: "no answer \"in\" 5 s"))
        let record = try await Bench(Fleet.usual + [failed]).send("GET", "/v0/endpoints/alpha").json()
        #expect(record["state"] as? String == "degraded" && record["consecutive_failures"] as? Int == 1)
        #expect(record["last_error"] as? [String: String] == ["code": "timeout", "message": "no answer \"in\" 5 s"])
        #expect(record["model_count"] as? Int == 2, "a failed poll takes no models away")
    }

    @Test(arguments: [
        ("", ["alpha", "beta"]), ("?state=online", ["alpha"]), ("?state=pending", ["beta"]), ("?state=offline", []),
        ("?kind=vllm", ["alpha"]), ("?kind=ollama", ["beta"]), ("?label=zone", ["alpha", "beta"]),
        ("?label=zone=b", ["beta"]), ("?label=zone%3Da&label=gpu", ["alpha"]), ("?label=zone=a&state=pending", []),
        ("?state=&kind=&label=", ["alpha", "beta"]),
    ])
    func filters(query: String, names: [String]) async throws {
        let answer = try await Bench(Fleet.usual).send("GET", "/v0/endpoints\(query)").json()
        #expect(Set(answer.keys) == ["endpoints", "total"])
        #expect((answer["endpoints"] as? [[String: Any]])?.map { $0["name"] as? String } == names)
        #expect(answer["total"] as? Int == names.count)
    }

    @Test func anEndpointIsEncodedAgainOnlyIfItChanged() async throws {
        let bench = try Bench(Fleet.usual)
        let cache = EndpointListCache()
        func list() -> String {
            String(buffer: cache.body(bench.catalog.read { $0.endpoints }, for: .admin) { _ in true })
        }
        let first = list()
        #expect(list() == first && cache.encoded == 2)
        #expect(try await bench.send("GET", "/v0/endpoints").text == first)
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 11, state: .degraded)])
        #expect(list().contains("degraded") && cache.encoded == 3)
        bench.catalog.apply([Fleet.row(Fleet.firstID, generation: 1, tick: 12, models: ["a", "b", "c"])])
        #expect(list().contains(#""model_count":3"#) && cache.encoded == 4)
        bench.catalog.apply([Fleet.record(Fleet.secondID, "renamed", revision: 9, labels: ["a\"": "b\\"])])
        #expect(list().contains(#""renamed""#) && cache.encoded == 5)
        let labels = (try await bench.send("GET", "/v0/endpoints?label=a%22").json()["endpoints"] as? [[String: Any]])?
            .first?["labels"]
        #expect(labels as? [String: String] == ["a\"": "b\\"])
        bench.catalog.apply([
            .registryChanged(RegistryChange(tombstoneOf: .endpoint, id: Fleet.secondID, revision: 10))
        ])
        #expect(!list().contains("renamed") && cache.encoded == 5)
    }

    @Test func wrongFiltersAre400() async throws {
        let bench = try Bench(Fleet.usual)
        for (query, code) in [
            ("state=up", "invalid_state"), ("kind=tgi", "unknown_kind"), ("label=%zz", "invalid_query"),
        ] {
            let answer = try await bench.send("GET", "/v0/endpoints?\(query)")
            #expect(answer.status == 400)
            #expect(try answer.errorCode() == code)
        }
    }

    @Test func idsAreFoundInAnyCase() async throws {
        let id = "abcdef00-0000-4000-8000-00000000000a"
        let bench = try Bench([Fleet.record(id, "gamma", revision: 5)])
        for key in [id, id.uppercased(), "gamma"] {
            #expect(try await bench.send("GET", "/v0/endpoints/\(key)").status == 200, "\(key)")
        }
        #expect(try await bench.send("GET", "/v0/endpoints/GAMMA").status == 404)
    }
}
