import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Completions")
struct CompletionTests {
    private func complete(
        _ kind: ServerKind, _ body: String, key: String? = nil, _ client: TestClient
    ) async throws -> TestResponse {
        try await client.execute(
            uri: "/e/\(kind.rawValue)/v1/chat/completions", method: .post,
            headers: key.map { [.authorization: "Bearer \($0)"] } ?? [:], body: ByteBuffer(string: body)
        ) { $0 }
    }

    private func content(_ response: TestResponse) throws -> String? {
        let choices = try #require(try object(response)["choices"] as? [[String: Any]])
        return (choices.first?["message"] as? [String: Any])?["content"] as? String
    }

    @Test("Every kind answers with as many words as it may", arguments: ServerKind.allCases)
    func answers(kind: ServerKind) async throws {
        try await withClient(sampleFleet()) { client in
            for (limit, text, tokens, reason) in [
                (#","max_tokens":2"#, "Hello from", 2, "length"),
                (#","max_completion_tokens":1,"max_tokens":9"#, "Hello", 1, "length"),
                ("", "Hello from \(kind.rawValue)", 3, "stop"),
            ] {
                let body = #"{"model":"org/one","messages":[{"role":"user","content":"Hi"}]\#(limit)}"#
                let response = try await complete(kind, body, client)
                #expect(response.status == .ok)
                #expect(try content(response) == text)
                let answer = try object(response)
                #expect((answer["usage"] as? [String: Any])?["completion_tokens"] as? Int == tokens)
                #expect((answer["choices"] as? [[String: Any]])?.first?["finish_reason"] as? String == reason)
                #expect(answer["model"] as? String == "org/one")
            }
            let missing = try await complete(kind, #"{"model":"org/two"}"#, client)
            #expect(missing.status == .notFound)
            #expect((try object(missing)["error"] as? [String: Any])?["code"] as? String == "model_not_found")
            #expect(try await complete(kind, "[", client).status == .badRequest)
            let seen = try #require(try await fleetReport(client).endpoints.first { $0.kind == kind })
            #expect(seen.completions == 5 && seen.requests["/v1/chat/completions"] == 5)
            #expect(seen.polls.count == 0)
        }
    }

    @Test("A required key is required", arguments: ServerKind.allCases)
    func keys(kind: ServerKind) async throws {
        try await withClient(sampleFleet(Behaviour(key: "abc"))) { client in
            let refused = try await complete(kind, #"{"model":"org/one"}"#, client)
            #expect(refused.status == .unauthorized)
            let answered = try await complete(kind, #"{"model":"org/one"}"#, key: "abc", client)
            #expect(answered.status == .ok)
        }
    }

    @Test("Faults of completions leave the list alone")
    func faults() async throws {
        for fault in [Behaviour.CompletionFault.error, .html, .empty] {
            try await withClient(sampleFleet(Behaviour(completionFault: fault))) { client in
                let response = try await complete(.vllm, #"{"model":"org/one"}"#, client)
                switch fault {
                case .error: #expect(response.status == .internalServerError)
                case .html: #expect(response.headers[.contentType]?.hasPrefix("text/html") == true)
                default:
                    #expect(try content(response) == "")
                    let usage = try object(response)["usage"] as? [String: Any]
                    #expect(usage?["completion_tokens"] as? Int == 0)
                }
                #expect(try await client.get("/e/vllm/v1/models").status == .ok)
            }
        }
    }

    @Test("A hanging completion does not answer, the list does", .timeLimit(.minutes(1)))
    func hang() async throws {
        try await withClient(sampleFleet(Behaviour(completionFault: .hang))) { client in
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { (try? await complete(.vllm, #"{"model":"org/one"}"#, client)) != nil }
                group.addTask {
                    // It never answers: this is how long the client has patience.
                    try? await Task.sleep(for: .milliseconds(300))
                    return false
                }
                #expect(await group.next() == false)
                group.cancelAll()
            }
            let list = try await client.get("/e/vllm/v1/models")
            #expect(list.status == .ok)
        }
    }

    @Test("xLLM describes its GPU, other servers do not")
    func memory() async throws {
        try await withClient(sampleFleet(Behaviour(gpuMemoryBytes: 34_359_738_368))) { client in
            let system = try object(try await client.get("/e/openai/v0/system"))
            let device = try #require(system["device"] as? [String: Any])
            let gpu = (device["gpu_devices"] as? [[String: Any]])?.first
            #expect(device["device_type"] as? String == "gpu")
            #expect(gpu?["total_memory_bytes"] as? Int == 34_359_738_368)
            #expect(try await client.get("/e/vllm/v0/system").status == .notFound)
        }
        try await withClient(sampleFleet()) { client in
            let response = try await client.get("/e/openai/v0/system")
            #expect(response.status == .notFound)
        }
    }
}
