import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Control")
struct ControlTests {
    @Test("Endpoints are created, changed, and deleted")
    func endpoints() async throws {
        try await withClient(sampleFleet()) { client in
            let uri = "/control/endpoints/new"
            let create = ByteBuffer(string: #"{"kind":"openai","models":["a",{"id":"b","context_length":8}]}"#)
            try await client.execute(uri: uri, method: .put, body: create) { #expect($0.status == .ok) }
            try await client.execute(uri: "/e/new/v1/models", method: .get) {
                let list = try object($0)
                #expect((list["data"] as? [Any])?.count == 2)
            }
            let change = ByteBuffer(string: #"{"models":["c"],"behaviour":{"fault":"500","latency_ms":1}}"#)
            try await client.execute(uri: uri, method: .patch, body: change) { #expect($0.status == .ok) }
            let changed = try #require(try await fleetReport(client).endpoints.last)
            #expect(changed.name == "new" && changed.path == "/e/new")
            #expect(changed.models == [SimulatedModel(id: "c")])
            #expect(changed.behaviour == Behaviour(fault: .error, latencyMilliseconds: 1))
            try await client.execute(uri: uri, method: .patch, body: ByteBuffer(string: #"{"behaviour":{}}"#)) {
                #expect($0.status == .ok)
            }
            try await client.execute(uri: "/e/new/v1/models", method: .get) { #expect($0.status == .ok) }
            try await client.execute(uri: uri, method: .delete) { #expect($0.status == .noContent) }
            for method in [HTTPRequest.Method.get, .delete] {
                try await client.execute(uri: uri, method: method) { #expect($0.status == .notFound) }
            }
            try await client.execute(uri: "/e/new/v1/models", method: .get) { #expect($0.status == .notFound) }
        }
    }

    @Test(
        "What cannot be understood is refused",
        arguments: [
            #"{"kind":"nonsense"}"#, "{", #"{"kind":"vllm","behaviour":{"fault":"odd"}}"#,
            #"{"kind":"vllm","models":[{}]}"#,
        ])
    func malformed(body: String) async throws {
        try await withClient(sampleFleet()) { client in
            let uri = "/control/endpoints/new"
            try await client.execute(uri: uri, method: .put, body: ByteBuffer(string: body)) {
                #expect($0.status == .badRequest)
            }
        }
    }

    @Test("A poll counts once, however many list paths it asks for")
    func polls() async throws {
        try await withClient(sampleFleet()) { client in
            for path in ["/api/version", "/v1/models", "/api/tags", "/v1/models", "/api/tags", "/v1/models"] {
                try await client.execute(uri: "/e/ollama\(path)", method: .get) { #expect($0.status == .ok) }
            }
            let seen = try #require(try await fleetReport(client).endpoints.first { $0.name == "ollama" })
            #expect(seen.polls.count == 3)
            #expect(seen.polls.times == Array(repeating: sampleTime * 1000, count: 3))
            #expect(seen.requests == ["/v1/models": 3, "/api/tags": 2])
            try await client.execute(uri: "/control/reset-counters", method: .post) {
                #expect($0.status == .noContent)
            }
            #expect(try await fleetReport(client).endpoints.allSatisfy { $0.polls.count == 0 && $0.requests.isEmpty })
        }
    }

    @Test("Change is switched on and off")
    func churn() async throws {
        let fleet = sampleFleet()
        try await withClient(fleet) { client in
            for on in [true, false] {
                let body = ByteBuffer(string: #"{"on":\#(on)}"#)
                try await client.execute(uri: "/control/churn", method: .post, body: body) {
                    #expect($0.status == .noContent)
                }
                #expect(try await fleetReport(client).churn.on == on)
            }
        }
    }
}

@Suite("Seeded fleets")
struct FleetTests {
    private func fleet(seed: UInt64) -> Fleet {
        let fleet = Fleet(pool: ModelPool(size: 60), seed: seed, now: { 0 })
        fleet.populate(count: 30, models: 5, mix: .all, ports: [7001, 7002])
        return fleet
    }

    private func models(_ fleet: Fleet) -> [[String]] {
        FleetReport(of: fleet).endpoints.map { $0.models.map(\.id) }
    }

    @Test("The same seed gives the same fleet and the same changes, another seed others")
    func seeds() {
        let (one, same, other) = (fleet(seed: 7), fleet(seed: 7), fleet(seed: 8))
        #expect(models(one) == models(same))
        #expect(models(one) != models(other))
        let before = models(one)
        for _ in 0..<500 {
            one.change()
            same.change()
        }
        #expect(models(one) == models(same))
        #expect(models(one) != before)
        #expect(models(one).allSatisfy { !$0.isEmpty && Set($0).count == $0.count })
        #expect(FleetReport(of: one).churn.changes == 500)
    }

    @Test("Kinds, models, and ports as asked for")
    func populate() {
        let report = FleetReport(of: fleet(seed: 1))
        #expect(report.endpoints.map(\.name).first == "sim-0000")
        #expect(report.endpoints.prefix(3).map(\.port) == [7001, 7002, nil])
        #expect(Set(report.endpoints.map(\.kind)) == Set(ServerKind.allCases))
        #expect(report.endpoints.allSatisfy { Set($0.models.map(\.id)).count == 5 })
    }

    @Test("Shares of kinds")
    func mix() {
        #expect(KindMix("vllm:2,ollama")?.cycle == [.vllm, .vllm, .ollama])
        #expect(KindMix("vllm:0") == nil)
        #expect(KindMix("triton") == nil)
        #expect(KindMix("") == nil)
    }

    @Test("Different models of a pool have different ids", arguments: ServerKind.allCases)
    func names(kind: ServerKind) {
        let pool = ModelPool(size: 500)
        #expect(Set((0..<500).map { pool.model($0, kind: kind).id }).count == 500)
    }
}
