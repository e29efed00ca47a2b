import Foundation
import JSON
import Synchronization
import Testing

@testable import CommandLineClient

@Suite("rollcall models register and operations watch", .timeLimit(.minutes(1)))
struct RegisterTests {
    /// A gateway that accepts a registration and answers for its operation in turn, the last answer for ever.
    private final class Registering: Sendable {
        private let replies: Mutex<[StubGateway.Reply]>
        init(_ replies: [StubGateway.Reply]) { self.replies = Mutex(replies) }

        func answer(_ asked: StubGateway.Asked) -> StubGateway.Reply {
            switch asked.path {
            case "/v0/models/register", "/v0/models/register?dry_run=true": .json(#"{"operation":"op-1"}"#, status: 202)
            case "/v0/operations/op-1": replies.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            default: .json(ModelTests.record)
            }
        }
    }

    private static func pending(_ step: String?) -> StubGateway.Reply {
        .json(#"{"id":"op-1","state":"pending","step":\#(step.map { "\"\($0)\"" } ?? "null")}"#)
    }

    private static let done = StubGateway.Reply.json(#"{"id":"op-1","state":"succeeded","result":"org/a-gguf"}"#)

    @Test("Each step is told once, then the record")
    func progress() async throws {
        let gateway = Registering([
            .error(404, "operation_not_found"), Self.pending(nil), Self.pending("reading the repository"),
            Self.pending("reading the repository"), .error(503, "catalog_not_ready"), Self.pending("storing"),
            Self.done,
        ])
        let ran = try await rollcall(
            "models", "register", "https://huggingface.co/Org/A-GGUF", "--quantization", "Q4_K_M", "--revision", "v1",
            showsProgress: true, answering: gateway.answer)
        #expect(ran.status == .success)
        #expect(ran.notes == ["operation op-1", "reading the repository", "storing"])
        #expect(ran.output.hasPrefix("name            org/a-gguf\n"))
        let request = try #require(ran.requests.first)
        #expect(request.headers["prefer"] == "respond-async")
        #expect(
            request.fields == [
                "repo": .string("https://huggingface.co/Org/A-GGUF"), "quantization": .string("Q4_K_M"),
                "revision": .string("v1"),
            ])
        #expect(ran.requests.last?.path == "/v0/models/org/a-gguf")
        #expect(ran.pauses.first == .milliseconds(250) && ran.pauses.max() == .seconds(2))
    }

    @Test("Quiet where nobody looks; JSON is the record's")
    func quiet() async throws {
        let ran = try await rollcall(
            "models", "register", "Org/A", "--json", answering: Registering([Self.pending("x"), Self.done]).answer)
        #expect(ran.notes.isEmpty && ran.output == ModelTests.record + "\n")
    }

    private static let preview =
        #"{"dry_run":true,"name":"org/a-gguf","repo":"Org/A-GGUF","format":"gguf","quantization":"Q8_0","size_bytes":4000000000,"required_memory_bytes":6000000000,"chosen_because":"it is the only GGUF model of the repository","files":[{"path":"a-Q8_0.gguf","role":"weights","size_bytes":4000000000,"optional":false},{"path":"mmproj-F16.gguf","role":"mmproj","size_bytes":null,"optional":true}],"alternatives":[],"warnings":[],"endpoints":[{"id":"1","name":"rack-1","gpu_memory_bytes":8000000000,"fits":true},{"id":"2","name":"rack-2","gpu_memory_bytes":null,"fits":null}]}"#

    @Test("A dry run shows what would be registered, at once or from its operation")
    func dryRun() async throws {
        let once = try await rollcall("models", "register", "Org/A-GGUF", "--dry-run") { _ in .json(Self.preview) }
        #expect(once.requests.map(\.path) == ["/v0/models/register?dry_run=true"])
        for line in [
            "chosen because  it is the only GGUF model of the repository", "mmproj   mmproj-F16.gguf", "optional",
            "rack-1",
            "unknown", "Nothing was registered (--dry-run).",
        ] { #expect(once.output.contains(line), "\(once.output)") }
        let operation = StubGateway.Reply.json(#"{"id":"op-1","state":"succeeded","preview":\#(Self.preview)}"#)
        let later = try await rollcall(
            "models", "register", "Org/A-GGUF", "--dry-run",
            answering: Registering([Self.pending("x"), operation]).answer)
        #expect(later.output == once.output)
        #expect(later.requests.last?.path == "/v0/operations/op-1")
    }

    @Test("A template from a file, and an answer that is there at once")
    func template() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("template-\(UUID().uuidString)")
        try Data("{{ a }}\nb\n".utf8).write(to: file)
        let ran = try await rollcall(
            "models", "register", "Org/A", "--chat-template-file", file.path, "--display-name", "A", "--filename", "f"
        ) { _ in .json(ModelTests.record, status: 201) }
        try FileManager.default.removeItem(at: file)
        #expect(ran.requests.count == 1 && ran.output.hasPrefix("name            org/a-gguf\n"))
        #expect(ran.requests.first?.fields["chat_template"] == .string("{{ a }}\nb\n"))
        #expect(ran.requests.first?.fields["display_name"] == .string("A"))
        #expect(ran.requests.first?.fields["filename"] == .string("f"))
    }

    @Test(
        "What a registration fails with",
        arguments: [
            (404, "repository_not_found", "not_found_error", ExitReason.notFound),
            (403, "gated_repository", "permission_error", .notPermitted),
            (400, "ambiguous_artifact", "invalid_request_error", .badInput),
            (409, "already_registered", "conflict_error", .conflict), (502, "hub_error", "upstream_error", .failure),
        ])
    func failures(status: Int, code: String, type: String, exit: ExitReason) async throws {
        let error = #"{"message":"why","type":"\#(type)","param":null,"code":"\#(code)"}"#
        let gateway = Registering([.json(#"{"id":"op-1","state":"failed","error":\#(error)}"#)])
        let later = try await rollcall("models", "register", "Org/A", answering: gateway.answer)
        #expect(later.status == exit && later.failure?.description == "why (\(code))")
        let once = try await rollcall("models", "register", "Org/A") { _ in .error(status, code, type: type) }
        #expect(once.status == exit)
    }

    @Test("Patience ends, and the way on is told")
    func timeout() async throws {
        let ran = try await rollcall(
            "models", "register", "Org/A", limit: .seconds(20), answering: Registering([Self.pending("x")]).answer)
        #expect(ran.status == .tryAgain && ran.failure?.code == "still_pending")
        #expect(ran.failure?.hint == "The operation goes on. To watch it: rollcall operations watch op-1")
        let expired = Registering([.json(#"{"state":"expired"}"#)])
        let late = try await rollcall("models", "register", "Org/A", answering: expired.answer)
        #expect(late.status == .tryAgain && late.failure?.code == "command_expired" && late.pauses.isEmpty)
    }

    @Test("Without waiting, the operation is printed")
    func noWait() async throws {
        let ran = try await rollcall(
            "models", "register", "Org/A", "--no-wait", answering: Registering([Self.done]).answer)
        #expect(ran.output.hasPrefix("operation op-1\n") && ran.requests.count == 1)
        let json = try await rollcall(
            "models", "register", "Org/A", "--no-wait", "--json", answering: Registering([Self.done]).answer)
        #expect(json.output == #"{"operation":"op-1"}"# + "\n")
    }

    @Test("An operation is watched to its end; one that never was is not found")
    func watch() async throws {
        let ran = try await rollcall(
            "operations", "watch", "op-1", answering: Registering([Self.pending(nil), Self.done]).answer)
        #expect(ran.output == "succeeded: org/a-gguf\n")
        let missing = try await rollcall("operations", "watch", "op-2") { _ in .error(404, "operation_not_found") }
        #expect(missing.status == .notFound && missing.failure?.code == "operation_not_found")
        let never = try await rollcall("operations", "watch", "op-2", limit: .seconds(2)) { _ in
            .error(404, "operation_not_found")
        }
        #expect(never.status == .notFound)
        let lost = try await rollcall(
            "operations", "watch", "op-1",
            answering: Registering([Self.pending(nil), .init(body: "{", isCut: true), Self.done]).answer)
        #expect(lost.status == .success)
    }
}
