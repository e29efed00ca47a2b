import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Inference in Ollama's own API")
struct OllamaInferenceTests {
    private func post(_ path: String, _ body: String, _ client: TestClient) async throws -> TestResponse {
        try await client.execute(
            uri: "/e/\(path)", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(string: body)
        ) { $0 }
    }

    private func lines(_ response: TestResponse) throws -> [[String: Any]] {
        try String(buffer: response.body).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("A stream, which is what comes unless it is refused, ends with a line that says so")
    func streams() async throws {
        let greeting = "Hello from ollama, a simulated server that gives the same answer to each of its clients."
        try await withClient(sampleFleet()) { client in
            for (path, text) in [
                ("chat", { ($0["message"] as? [String: Any])?["content"] }), ("generate", { $0["response"] }),
            ] as [(String, ([String: Any]) -> Any?)] {
                let response = try await post("ollama/api/\(path)", #"{"model":"org/one"}"#, client)
                #expect(response.headers[.contentType] == "application/x-ndjson")
                let lines = try lines(response)
                #expect(lines.compactMap { text($0) as? String }.joined() == greeting)
                #expect(lines.map { $0["done"] as? Bool } == Array(repeating: false, count: 16) + [true])
                #expect(
                    lines.last?["done_reason"] as? String == "stop" && String(buffer: response.body).hasSuffix("\n"))

                let whole = try await post("ollama/api/\(path)", #"{"model":"org/one","stream":false}"#, client)
                #expect(whole.headers[.contentType] == "application/json")
                let answer = try object(whole)
                #expect(text(answer) as? String == greeting && answer["done"] as? Bool == true)
            }
        }
    }

    @Test("Each text gets a vector")
    func embeddings() async throws {
        try await withClient(sampleFleet()) { client in
            let many = try await post("ollama/api/embed", #"{"model":"org/one","input":["a","b"]}"#, client)
            #expect((try object(many)["embeddings"] as? [[Double]])?.count == 2)
            let one = try await post("ollama/api/embeddings", #"{"model":"org/one","prompt":"a"}"#, client)
            #expect((try object(one)["embedding"] as? [Double])?.count == 3)
        }
    }

    @Test("Only Ollama has these routes, and only its own models")
    func refusals() async throws {
        try await withClient(sampleFleet()) { client in
            let unknown = try await post("ollama/api/chat", #"{"model":"none"}"#, client)
            #expect(unknown.status == .notFound && String(buffer: unknown.body).contains("model 'none' not found"))
            #expect(try await post("ollama/api/chat", "x", client).status == .badRequest)
            #expect(try await post("vllm/api/chat", #"{"model":"org/one"}"#, client).status == .notFound)
        }
        try await withClient(sampleFleet(Behaviour(key: "k"))) { client in
            let refused = try await post("ollama/api/chat", #"{"model":"org/one"}"#, client)
            #expect(refused.status == .unauthorized)
        }
    }
}
