import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("Answers of each kind")
struct AnswerTests {
    @Test("/v1/models lists the ids", arguments: ServerKind.allCases)
    func models(kind: ServerKind) async throws {
        try await withClient(sampleFleet()) { client in
            try await client.execute(uri: "/e/\(kind.rawValue)/v1/models", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/json")
                let data = try #require(try object(response)["data"] as? [[String: Any]])
                #expect(data.map { $0["id"] as? String } == ["org/one", "two \"é\""])
                let isNow = data.first?["created"] as? Int64 == sampleTime
                #expect(isNow == (kind == .vllm || kind == .llamacpp))
                #expect((data.first?["created"] == nil) == (kind == .lmstudio))
            }
        }
    }

    @Test(
        "What only one kind says",
        arguments: [
            ("vllm/v1/models", #""max_model_len":8192"#), ("vllm/version", #"{"version":""#),
            ("llamacpp/v1/models", #""n_ctx_train":8192"#), ("llamacpp/props", #""n_ctx":8192"#),
            ("llamacpp/health", #"{"status":"ok"}"#), ("ollama/api/tags", #""quantization_level":"Q4_K_M""#),
            ("ollama/api/tags", #""parameter_size":"8.0B""#), ("ollama/api/version", #"{"version":""#),
            ("ollama/", "Ollama is running"), ("ollama", "Ollama is running"), ("ollama/api/ps", "org/one"),
            ("lmstudio/api/v0/models", #""max_context_length":8192"#),
            ("lmstudio/api/v0/models", #""state":"loaded""#), ("lmstudio/api/v0/models/org/one", #"{"id":"org/one""#),
        ])
    func native(path: String, part: String) async throws {
        try await withClient(sampleFleet()) { client in
            try await client.execute(uri: "/e/\(path)", method: .get) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body).contains(part))
            }
        }
    }

    @Test(
        "Unknown paths are refused as each kind does",
        arguments: [
            (ServerKind.vllm, 404, #"{"detail":"Not Found"}"#), (.llamacpp, 404, #""type":"not_found_error""#),
            (.ollama, 404, "404 page not found"), (.openai, 404, #""message":"Invalid URL (GET /api/zero)""#),
            (.lmstudio, 200, #"{"error":"Unexpected endpoint or method. (GET /api/zero)"}"#),
        ])
    func unknown(kind: ServerKind, status: Int, part: String) async throws {
        try await withClient(sampleFleet()) { client in
            try await client.execute(uri: "/e/\(kind.rawValue)/api/zero", method: .get) { response in
                #expect(response.status.code == status)
                #expect(String(buffer: response.body).contains(part))
            }
            try await client.execute(uri: "/e/absent/v1/models", method: .get) { #expect($0.status == .notFound) }
        }
    }

    @Test("Ollama tells more of a model when asked")
    func show() async throws {
        try await withClient(sampleFleet()) { client in
            let uri = "/e/ollama/api/show"
            try await client.execute(uri: uri, method: .post, body: ByteBuffer(string: #"{"model":"org/one"}"#)) {
                #expect(String(buffer: $0.body).contains(#""llama.context_length":8192"#))
                _ = try object($0)
            }
            try await client.execute(uri: uri, method: .post, body: ByteBuffer(string: #"{"model":"org"}"#)) {
                #expect($0.status == .notFound)
            }
        }
    }

    @Test("A required key is required, and seen keys are told as digests", arguments: ServerKind.allCases)
    func keys(kind: ServerKind) async throws {
        try await withClient(sampleFleet(Behaviour(key: "abc"))) { client in
            let uri = "/e/\(kind.rawValue)/v1/models"
            try await client.execute(uri: uri, method: .get) { #expect($0.status == .unauthorized) }
            try await client.execute(uri: uri, method: .get, headers: [.authorization: "Bearer wrong"]) {
                #expect($0.status == .unauthorized)
            }
            try await client.execute(uri: uri, method: .get, headers: [.authorization: "Bearer abc"]) {
                #expect($0.status == .ok)
            }
            let report = try await fleetReport(client)
            // echo -n abc | sha256sum
            let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            let seen = report.endpoints.first { $0.kind == kind }?.keys
            #expect(seen?.count == 2 && seen?.contains(digest) == true)
        }
    }
}

@Suite("Faults")
struct FaultTests {
    private func list(
        _ fault: Behaviour.Fault, kind: ServerKind = .vllm,
        _ check: @escaping @Sendable (TestResponse) async throws -> Void
    ) async throws {
        try await withClient(sampleFleet(Behaviour(fault: fault))) { client in
            try await client.execute(uri: "/e/\(kind.rawValue)/v1/models", method: .get) { try await check($0) }
        }
    }

    @Test("500, HTML, redirect")
    func whole() async throws {
        try await list(.error) { #expect($0.status == .internalServerError) }
        try await list(.html) {
            #expect($0.status == .ok)
            #expect($0.headers[.contentType]?.hasPrefix("text/html") == true)
            #expect(String(buffer: $0.body).hasPrefix("<!DOCTYPE html>"))
        }
        try await list(.redirect) {
            #expect($0.status == .found)
            #expect($0.headers[.location]?.hasPrefix("/login?next=") == true)
        }
    }

    @Test("Truncated lists do not parse", arguments: ServerKind.allCases)
    func truncated(kind: ServerKind) async throws {
        try await list(.truncated, kind: kind) { response in
            #expect(response.status == .ok)
            #expect(throws: (any Error).self) { try object(response) }
        }
    }

    @Test("Empty lists")
    func empty() async throws {
        try await list(.empty) { response in
            let list = try object(response)
            #expect((list["data"] as? [Any])?.isEmpty == true)
        }
        try await list(.empty, kind: .ollama) { response in
            let list = try object(response)
            #expect(list["data"] is NSNull)
        }
    }

    @Test("50 MB", .timeLimit(.minutes(1)))
    func huge() async throws {
        try await list(.huge) { #expect($0.body.readableBytes > 50_000_000) }
    }
}
