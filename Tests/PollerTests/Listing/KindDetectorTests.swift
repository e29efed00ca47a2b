import Catalog
import TestSupport
import Testing

@testable import Poller

struct KindDetectorTests {
    typealias Answer = Result<EndpointAnswer, PollError>

    static let timeout = Answer.failure(PollError(.transport("timeout"), "no answer"))
    static let html = EndpointAnswer.ok("<!DOCTYPE html><html></html>")
    static let unexpected = EndpointAnswer.ok(#"{"error":"Unexpected endpoint or method. (GET /x)"}"#)
    static let plain = EndpointAnswer.ok(#"{"object":"list","data":[{"id":"m","object":"model","owned_by":"me"}]}"#)

    func fixture(_ name: String) throws -> Answer {
        .success(EndpointAnswer(status: 200, body: try FixtureFolder.endpoints.body(name)))
    }

    /// What a poll of a record of kind `auto` makes of the server.
    func detect(_ server: ScriptedServer) async throws(PollError) -> EndpointPoll.Outcome {
        let poll = EndpointPoll(
            transport: server, keys: EndpointKeys(keyRing: nil), timeout: .seconds(5), clock: ManualClock().clock)
        return try await poll(PollItem(endpoint: Samples.endpoint("e"), tick: 1, base: nil), memo: nil)
    }

    @Test func ownersTellWithOneRequest() async throws {
        let vllm = ScriptedServer(["/v1/models": try fixture("vllm.v1_models.json")])
        #expect(try await detect(vllm).kind == .vllm)
        #expect(vllm.paths == ["/v1/models"])
        let router = ScriptedServer(["/v1/models": try fixture("llamacpp.router_models.json")])
        #expect(try await detect(router).kind == .llamacpp)
    }

    @Test func llamaCppTellsItsContextElsewhere() async throws {
        let server = ScriptedServer([
            "/v1/models": try fixture("llamacpp.v1_models.json"), "/props": try fixture("llamacpp.props.json"),
        ])
        let outcome = try await detect(server)
        #expect(outcome.kind == .llamacpp)
        #expect(outcome.models.map(\.contextLength) == [1024])
    }

    @Test func ollamaIsKnownByItsNativeList() async throws {
        let tags = try fixture("ollama.api_tags.json")
        let both = ScriptedServer(["/v1/models": try fixture("ollama.v1_models.json"), "/api/tags": tags])
        let outcome = try await detect(both)
        #expect(outcome.kind == .ollama)
        #expect(outcome.models.map(\.quantization) == ["Q4_K_M", "Q4_K_M"])
        // An old one has no /v1.
        #expect(try await detect(ScriptedServer(["/api/tags": tags])).kind == .ollama)
    }

    @Test func anEmptyOllamaIsKnownByItsVersion() async throws {
        let empty = ScriptedServer([
            "/v1/models": try fixture("ollama.v1_models_empty_null.json"),
            "/api/tags": EndpointAnswer.ok(#"{"models":[]}"#),
            "/api/version": try fixture("ollama.api_version.json"),
        ])
        #expect(try await detect(empty).kind == .ollama)
    }

    @Test func imitationsOfOllamaAreNotOllama() async throws {
        let kobold = ScriptedServer([
            "/v1/models": try fixture("koboldcpp.v1_models.json"),
            "/api/tags": EndpointAnswer.ok(
                #"{"models":[{"name":"koboldcpp","model":"koboldcpp:latest","digest":"0","details":{}}]}"#),
            "/api/version": EndpointAnswer.ok(#"{"version":"0.7.0"}"#),
        ])
        let outcome = try await detect(kobold)
        #expect(outcome.kind == .openai)
        #expect(outcome.models.map(\.id.value) == ["koboldcpp/Qwen3-30B-A3B-Q4_K_M"])
    }

    /// What its routes for Ollama's clients answer (python/sglang/srt/entrypoints/ollama/serving.py, `get_tags`).
    @Test func sglangIsNotOllama() async throws {
        let tags = EndpointAnswer.ok(
            #"{"models":[{"name":"m","model":"m","digest":"0","size":0,"details":{"family":"m"}}]}"#)
        let list = EndpointAnswer.ok(#"{"data":[{"id":"m","owned_by":"sglang","max_model_len":8192}]}"#)
        let server = ScriptedServer(["/v1/models": list, "/api/tags": tags])
        let outcome = try await detect(server)
        #expect(outcome.kind == .sglang && outcome.models.map(\.contextLength) == [8192])
        #expect(server.paths == ["/v1/models"])
    }

    @Test func lmStudioIsKnownByItsNativeList() async throws {
        let server = ScriptedServer(
            [
                "/v1/models": try fixture("lmstudio.api_v0_models.json"),
                "/api/v0/models": try fixture("lmstudio.api_v0_models.json"),
            ], fallback: Self.unexpected)
        let outcome = try await detect(server)
        #expect(outcome.kind == .lmstudio)
        #expect(outcome.models.allSatisfy { $0.loaded == false })
        let newer = ScriptedServer(
            [
                "/v1/models": try fixture("lmstudio.v1_models.json"),
                "/api/v1/models": try fixture("lmstudio.api_v1_models.json"),
            ], fallback: Self.unexpected)
        #expect(try await detect(newer).kind == .lmstudio)
    }

    @Test(arguments: [
        unexpected, html, EndpointAnswer.ok("{}"), EndpointAnswer.ok(#"{"version":"1.0","status":"ok"}"#),
    ])
    func whateverUnknownPathsGiveAPlainServerIsPlain(_ fallback: Answer) async throws {
        let outcome = try await detect(ScriptedServer(["/v1/models": Self.plain], fallback: fallback))
        #expect(outcome.kind == .openai)
        #expect(outcome.models.map(\.id.value) == ["m"])
    }

    @Test func theSameListOnEveryPathMisleadsNobody() async throws {
        #expect(try await detect(ScriptedServer([:], fallback: Self.plain)).kind == .openai)
    }

    @Test func theSameObjectOnEveryPathIsNoServer() async {
        for body in [Self.unexpected, Self.html, EndpointAnswer.ok(#"{"ok":true}"#)] {
            await #expect(throws: PollError.self) { try await detect(ScriptedServer([:], fallback: body)) }
        }
    }

    @Test func aLoginOrARefusalIsAskedOnce() async {
        for (status, code) in [(302, "redirected"), (401, "unauthorized"), (403, "forbidden"), (502, "http_status")] {
            let server = ScriptedServer([:], fallback: .success(EndpointAnswer(status: status, body: [])))
            do throws(PollError) {
                _ = try await detect(server)
                Issue.record("detected")
            } catch {
                #expect(error.code.name == code)
            }
            #expect(server.paths == ["/v1/models"])
        }
    }

    @Test func aProbeThatHangsLeavesTheKindOpen() async throws {
        let outcome = try await detect(ScriptedServer(["/v1/models": Self.plain], fallback: Self.timeout))
        #expect(outcome.kind == nil)
        #expect(outcome.models.count == 1)
    }

    @Test func anEmptyListLeavesTheKindOpen() async throws {
        #expect(
            try await detect(ScriptedServer(["/v1/models": EndpointAnswer.ok(#"{"object":"list","data":[]}"#)])).kind
                == nil)
    }

    @Test func vllmBehindAnAlias() async throws {
        let server = ScriptedServer([
            "/v1/models": EndpointAnswer.ok(#"{"data":[{"id":"m","owned_by":"acme","max_model_len":4096}]}"#),
            "/version": try fixture("vllm.version.json"),
        ])
        #expect(try await detect(server).kind == .vllm)
        let sglang = ScriptedServer([
            "/v1/models": try fixture("sglang.v1_models.json"), "/version": try fixture("vllm.version.json"),
        ])
        #expect(try await detect(sglang).kind == .sglang)
    }
}
