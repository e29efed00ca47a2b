import Catalog
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

@Suite struct InferencePathTests {
    /// Path, dialect, forms, whether a request may be repeated after silence (the body says nothing of `store`).
    static let models: [(String, EventDialect, Bool, Bool)] = [
        ("/v1/chat/completions", .openAI, false, true), ("/v1/completions", .openAI, false, true),
        ("/v1/embeddings", .openAI, false, true), ("/v1/responses", .responses, false, false),
        ("/v1/responses/compact", .responses, false, false), ("/v1/messages", .anthropic, false, true),
        ("/v1/messages/count_tokens", .anthropic, false, true), ("/rerank", .openAI, false, true),
        ("/v1/rerank", .openAI, false, true), ("/v2/rerank", .openAI, false, true),
        ("/v1/reranking", .openAI, false, true), ("/score", .openAI, false, true), ("/v1/score", .openAI, false, true),
        ("/pooling", .openAI, false, false), ("/classify", .openAI, false, false),
        ("/tokenize", .openAI, false, false), ("/detokenize", .openAI, false, false),
        ("/v1/moderations", .openAI, false, false), ("/v1/audio/transcriptions", .openAI, true, false),
        ("/v1/audio/speech", .openAI, true, false), ("/v1/images/generations", .openAI, true, false),
        ("/v1/images/edits/x-1_y", .openAI, true, false), ("/api/chat", .ollama, false, true),
        ("/api/generate", .ollama, false, true), ("/api/embed", .ollama, false, true),
        ("/api/embeddings", .ollama, false, true),
    ]

    @Test func routesWithAModel() throws {
        let body = try InferenceBody(json: ByteBuffer(string: #"{"model":"m"}"#))
        for (text, dialect, takesForms, mayRepeat) in Self.models {
            for sent in [text, text + "/"] {
                let path = try #require(InferencePath(sent), "\(sent)")
                #expect(path.path == text && path.subject == .model && path.methods == [.post], "\(sent)")
                #expect(path.dialect == dialect && path.takesForms == takesForms, "\(sent)")
                #expect(path.mayRepeatAfterSilence(body) == mayRepeat, "\(sent)")
                #expect((path.endpointKind == .ollama) == (dialect == .ollama), "\(sent)")
                let other = path.openAICounterpart
                #expect((other != nil) == (dialect == .ollama) && other.map { InferencePath($0) != nil } != false)
            }
        }
    }

    @Test(arguments: [
        ("/v1/responses/resp_1aB-c", "resp_1aB-c", [HTTPRequest.Method.get, .delete]),
        ("/v1/responses/resp_1/", "resp_1", [.get, .delete]), ("/v1/responses/r/input_items", "r", [.get]),
        ("/v1/responses/r/cancel", "r", [.post]),
    ])
    func storedResponses(text: String, id: String, methods: [HTTPRequest.Method]) throws {
        let path = try #require(InferencePath(text))
        #expect(path.subject == .storedResponse(id: id) && path.methods == methods && path.dialect == .responses)
    }

    @Test(arguments: [
        "", "/", "/v1/chat", "/v1/chat/completions//", "/V1/chat/completions", "/v1/audio/", "/v1/audio/../models",
        "/v1/audio/%2e%2e/models", "/v1/audio//speech", "/v1/audio/Speech", "/v1/images/a.b",
        "/v1/responses/input_tokens", "/v1/responses/..", "/v1/responses/a%2Fb", "/v1/responses/a/b/c",
        "/v1/responses//cancel", "/v1/responses/compact/x", "/v1/models", "/v1/chat/completions?x", "/api/show",
        "/api/pull", "/api/chat/x",
    ])
    func othersAreNone(path: String) { #expect(InferencePath(path) == nil) }

    @Test func lengths() {
        #expect(InferencePath("/v1/responses/" + String(repeating: "r", count: 242)) != nil)
        #expect(InferencePath("/v1/responses/" + String(repeating: "r", count: 243)) == nil)
    }
}
