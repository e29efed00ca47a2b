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
        let greeting =
            "Hello from \(kind.rawValue), a simulated server that gives the same answer to each of its clients."
        try await withClient(sampleFleet()) { client in
            for (limit, text, tokens, reason) in [
                (#","max_tokens":2"#, "Hello from", 2, "length"),
                (#","max_completion_tokens":1,"max_tokens":9"#, "Hello", 1, "length"),
                ("", greeting, 16, "stop"), (#","max_tokens":16"#, greeting, 16, "stop"),
                (#","max_tokens":18,"ignore_eos":true"#, "\(greeting)Hello from", 18, "length"),
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
            #expect(seen.completions == 7 && seen.requests["/v1/chat/completions"] == 7)
            #expect(seen.polls.count == 0)
        }
    }

    private static let kind = ServerKind.vllm

    private func choices(_ members: String, _ client: TestClient) async throws -> [String] {
        let response = try await complete(Self.kind, #"{"model":"org/one",\#(members)}"#, client)
        let choices = try #require(try object(response)["choices"] as? [[String: Any]])
        return choices.map { choice in
            let text = (choice["message"] as? [String: Any])?["content"] as? String
            return "\(choice["index"] as? Int ?? -1) \(choice["finish_reason"] as? String ?? ""): \(text ?? "")"
        }
    }

    @Test("An answer ends before the first text to stop at")
    func stops() async throws {
        try await withClient(sampleFleet()) { client in
            for (members, answer) in [
                (#""stop":"vllm,""#, "0 stop: Hello from "),
                (#""stop":["server","lated","x","y"]"#, "0 stop: Hello from vllm, a simu"),
                (#""stop":"Hello""#, "0 stop: "),
                (#""stop":"simulated","max_tokens":4"#, "0 length: Hello from vllm, a"),
                (
                    #""stop":"clients.Hello","max_tokens":90,"ignore_eos":true"#,
                    "0 stop: Hello from vllm, a simulated server that gives the same answer to each of its "
                ),
            ] {
                #expect(try await choices(members, client) == [answer])
                let body = #"{"model":"org/one","stream":true,"stream_options":{"include_usage":true},\#(members)}"#
                let events = try events(try await complete(Self.kind, body, client))
                let streamed = events.compactMap { ($0["choices"] as? [[String: Any]])?.first }
                let text = streamed.compactMap { ($0["delta"] as? [String: Any])?["content"] as? String }.joined()
                #expect("0 \(streamed.last?["finish_reason"] as? String ?? ""): \(text)" == answer)
                let tokens = (events.last?["usage"] as? [String: Any])?["completion_tokens"] as? Int
                #expect(tokens == events.count { $0["sequence"] != nil })
            }
        }
    }

    @Test("There are as many answers as were asked for")
    func several() async throws {
        try await withClient(sampleFleet()) { client in
            let all = try await choices(#""n":3,"max_tokens":1"#, client)
            #expect(all == ["0 length: Hello", "1 length: Hello", "2 length: Hello"])
            let body =
                #"{"model":"org/one","n":2,"max_tokens":2,"stream":true,"stream_options":{"include_usage":true}}"#
            let events = try events(try await complete(Self.kind, body, client))
            let streamed = events.compactMap { ($0["choices"] as? [[String: Any]])?.first?["index"] as? Int }
            #expect(streamed == [0, 1, 0, 1])
            #expect(events.map { $0["sequence"] as? Int } == [0, 1, 2, 3, nil])
            #expect((events.last?["usage"] as? [String: Any])?["completion_tokens"] as? Int == 4)
            let prompts = try await client.execute(
                uri: "/e/vllm/v1/completions", method: .post,
                body: ByteBuffer(string: #"{"model":"org/one","prompt":["a","b"],"n":2}"#)
            ) { try object($0) }
            #expect((prompts["choices"] as? [Any])?.count == 4)
        }
    }

    @Test(
        "Wrong values are refused by name",
        arguments: [
            ("n", #""n":0"#), ("n", #""n":129"#), ("n", #""n":"2""#), ("max_tokens", #""max_tokens":-1"#),
            ("max_tokens", #""max_tokens":0"#), ("max_completion_tokens", #""max_completion_tokens":1.5"#),
            ("stop", #""stop":["a","b","c","d","e"]"#), ("stop", #""stop":"""#), ("stop", #""stop":[1]"#),
            ("logprobs", #""logprobs":true"#), ("parallel_tool_calls", #""parallel_tool_calls":"yes""#),
            ("tools", #""tools":{}"#), ("tools[0]", #""tools":[{"type":"function"}]"#),
        ])
    func wrong(parameter: String, members: String) async throws {
        try await withClient(sampleFleet()) { client in
            let refused = try await complete(Self.kind, #"{"model":"org/one",\#(members)}"#, client)
            #expect(refused.status == .badRequest)
            let error = try #require(try object(refused)["error"] as? [String: Any])
            #expect(error["param"] as? String == parameter)
            #expect((error["message"] as? String)?.hasPrefix("`\(parameter)` ") == true)
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
