import Foundation
import Synchronization
import Testing

@testable import CommandLineClient

@Suite("rollcall models", .timeLimit(.minutes(1)))
struct ModelTests {
    static let record = """
        {"name":"org/a-gguf","repo":"Org/A-GGUF","display_name":null,"requested_revision":"main",\
        "commit":"f9c28bcd85737ffc5aef028638d3341d49869c27","format":"gguf","quantization":"Q4_K_M",\
        "size_bytes":4683074240,"required_memory_bytes":7024611360,"parameter_count":8030261312,\
        "context_length":131072,"architecture":"llama","license":null,\
        "alternatives":[{"quantization":"Q8_0","filename":"A-Q8_0.gguf","size_bytes":8540770400}],\
        "warnings":[{"code":"memory_unknown","message":"Nobody knows."}],"created_at":"2026-11-22T20:00:00Z",\
        "revision":3,"drift":null,"status":"ready","endpoints":[{"name":"mac","id":"1","model":"A","state":"online"}],\
        "hf_info":{"downloads":7,"likes":null,"last_modified":"x","fetched_at":"y","stale":true},\
        "verification":[{"endpoint":"mac","model":"A","outcome":"ok","tokens":2,"latency_ms":30,"text":"Hello",\
        "error":null,"at":"2026-11-22T20:00:05Z"}]}
        """

    @Test("What can be used now, and what is registered")
    func lists() async throws {
        let usable = try await rollcall("models", "list") { _ in
            .json(
                """
                {"object":"list","data":[{"id":"qwen3:14b","object":"model","created":1,"owned_by":"library",\
                "context_length":32768,"endpoints":["a","b"],"registration":"qwen/x"},{"id":"z"}]}
                """)
        }
        #expect(
            usable.output == """
                ID         CONTEXT  OWNED BY  ENDPOINTS  REGISTRATION
                qwen3:14b    32768  library   a, b       qwen/x
                z                -  -         -          -

                """)
        #expect(usable.requests.first?.path == "/v1/models")
        let registered = try await rollcall("models", "registered") { _ in
            .json(#"{"models":[\#(Self.record),{"name":"b","drift":{"commit":"c"}}],"total":2}"#)
        }
        #expect(registered.requests.first?.path == "/v0/models/hub")
        #expect(
            registered.output == """
                NAME        STATUS  FORMAT  QUANT      SIZE   MEMORY  ENDPOINTS  NOTES
                org/a-gguf  ready   gguf    Q4_K_M  4.4 GiB  6.5 GiB  mac        memory_unknown
                b           -       -       -             -        -  -          repository_changed

                """)
    }

    @Test("A registration in full, and one of which little is known")
    func show() async throws {
        let ran = try await rollcall("models", "show", "org/a-gguf") { _ in .json(Self.record) }
        #expect(ran.requests.first?.path == "/v0/models/org/a-gguf")
        for line in [
            "memory needed   6.5 GiB", "parameters      8.0B", "license         -",
            "downloads       7 (the Hub is away)", "warning         Nobody knows. (memory_unknown)",
            "Q8_0        A-Q8_0.gguf  8.0 GiB", "mac          A      ok            2    30 ms",
        ] {
            #expect(ran.output.contains(line), "\(line)\n\(ran.output)")
        }
        let little = try await rollcall("models", "show", "x/y") { _ in .json(#"{"name":"x","size_bytes":"odd"}"#) }
        #expect(little.output.contains("size            -\n"))
    }

    @Test("A model that an endpoint has and nobody has registered")
    func showUsable() async throws {
        let entry =
            #"{"id":"x","owned_by":"vllm","context_length":8192,"endpoints":["a","b"],"capabilities":["tools"]}"#
        let answering: StubGateway.Answering = { asked in
            asked.path.hasPrefix("/v1/") ? .json(entry) : .error(404, "model_not_registered")
        }
        let plain = try await rollcall("models", "show", "qwen3:14b", answering: answering)
        #expect(plain.requests.map(\.path) == ["/v1/models/qwen3%3A14b"])
        #expect(
            plain.output == """
                id              x
                owned by        vllm
                context length  8192
                endpoints       a, b
                registration    -
                capabilities    tools

                """)
        let slashed = try await rollcall("models", "show", "Org/M", "--json", answering: answering)
        #expect(slashed.requests.map(\.path) == ["/v0/models/Org/M", "/v1/models/Org/M"])
        #expect(slashed.output == entry + "\n")
        // A route of that name lists the registered models.
        #expect(
            try await rollcall("models", "show", "hub", answering: answering).requests.map(\.path) == ["/v1/models/hub"]
        )
        let none = try await rollcall("models", "show", "org/m") { asked in
            .error(404, asked.path.hasPrefix("/v1/") ? "model_not_found" : "model_not_registered")
        }
        #expect(none.status == .notFound && none.failure?.code == "model_not_found")
        // The gateway's words name the nearest models.
        #expect(none.failure?.message == "why model_not_found")
        #expect(none.failure?.hint?.contains("rollcall models registered") == true)
        let refused = try await rollcall("models", "show", "org/m") { _ in .error(401, "invalid_api_key") }
        #expect(refused.requests.count == 1 && refused.status == .notPermitted)
    }

    @Test("A refresh says what has changed, and applies it only when asked to")
    func refresh() async throws {
        let drift = """
            {"name":"org/a","commit":"old","drift":{"commit":"new","detected_at":"t",\
            "changes":[{"path":"a.gguf","change":"changed"},{"path":"b","change":"added"}]}}
            """
        let seen = try await rollcall("models", "refresh", "org/a") { _ in .json(drift) }
        #expect(seen.requests.first?.path == "/v0/models/org/a/refresh" && seen.requests.first?.body == "{}")
        #expect(
            seen.output == """
                changed to  new
                seen        t
                changed     a.gguf
                added       b

                To apply this: rollcall models refresh org/a --apply

                """)
        let applied = try await rollcall("models", "refresh", "org/a", "--apply") { _ in
            .json(#"{"name":"org/a","commit":"new","drift":null}"#)
        }
        #expect(applied.requests.first?.body == #"{"apply":true}"#)
        #expect(applied.output == "org/a is up to date at new\n")
    }

    @Test("A verification fails where an endpoint does")
    func verify() async throws {
        let fine = try await rollcall("models", "verify", "org/a") { _ in .json(Self.record) }
        #expect(fine.status == .success && fine.requests.first?.path == "/v0/models/org/a/verify")
        #expect(fine.output.hasPrefix("VERIFIED ON  MODEL  OUTCOME"))
        let broken = try await rollcall("models", "verify", "org/a") { asked in
            switch asked.path {
            case "/v0/models/org/a/verify": .json(#"{"operation":"o"}"#, status: 202)
            case "/v0/operations/o": .json(#"{"state":"succeeded"}"#)
            default:
                .json(
                    """
                    {"name":"org/a","verification":[{"endpoint":"x","outcome":"ok"},\
                    {"endpoint":"y","outcome":"error","error":{"code":"http_500","message":"It is dead."}}]}
                    """)
            }
        }
        #expect(broken.status == .failure && broken.output.contains("It is dead. (http_500)"))
        #expect(broken.requests.last?.path == "/v0/models/org/a")
        #expect(broken.failure?.message == "1 of 2 endpoints did not generate anything")
    }

    @Test(
        "A name that no registration can have is not asked for",
        arguments: ["verify", "refresh", "remove", "manifest"], ["echo", "qwen3:14b", "a/b/c", "/a", "a/"])
    func impossibleNames(command: String, name: String) async throws {
        let ended = try await rollcall("models", command, name) { _ in .json("{}", status: 405) }
        #expect(ended.status == .notFound && ended.requests.isEmpty)
        #expect(
            ended.failure?.code == "model_not_registered"
                && ended.failure?.hint?.contains("rollcall models registered") == true)
    }

    @Test("A manifest is passed on byte for byte")
    func manifest() async throws {
        let bytes = #"{"name": "org/a",  "files":[]}"#
        let printed = try await rollcall("models", "manifest", "org/a") { _ in .json(bytes) }
        #expect(printed.output == bytes)
        #expect(printed.requests.first?.path == "/v0/models/registry/org/a/manifest.json")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("manifest-\(UUID().uuidString)")
        let saved = try await rollcall("models", "manifest", "org/a", "--output", file.path) { _ in .json(bytes) }
        #expect(saved.output.isEmpty && saved.status == .success)
        #expect(try String(contentsOf: file, encoding: .utf8) == bytes)
        try FileManager.default.removeItem(at: file)
        let missing = try await rollcall("models", "manifest", "org/a", "--output", file.path) { _ in
            .error(404, "model_not_found")
        }
        #expect(missing.status == .notFound && !FileManager.default.fileExists(atPath: file.path))
    }

    @Test("Whether the gateway is ready")
    func status() async throws {
        let ready = #"""
            {"ready":true,"broker":{"publish":"connected","consume":"connected"},"version":"1-47","age_seconds":3,
            "unconfirmed":false,"reason":null}
            """#
        let fine = try await rollcall("status") { .json($0.path == "/healthz" ? #"{"status":"ok"}"# : ready) }
        #expect(fine.status == .success && fine.output.contains("broker       connected\n"))
        let json = try await rollcall("status", "--json") { .json($0.path == "/healthz" ? "{}" : ready) }
        #expect(json.output == ready + "\n")
        let young = try await rollcall("status") { asked in
            asked.path == "/healthz"
                ? .json("{}")
                : .json(
                    #"{"ready":false,"broker":{"publish":"connected","consume":"blocked"},"reason":"reading","#
                        + #""error":{"message":"Not yet."}}"#, status: 503)
        }
        #expect(young.output.contains("broker       publish connected, consume blocked\n"))
        #expect(young.status == .tryAgain && young.output.contains("reason       reading\n"))
        #expect(young.failure?.message == "Not yet.")
        let poller = try await rollcall("status") { asked in
            asked.path == "/healthz"
                ? .json("{}")
                : .json(#"{"ready":false,"scheduler":true,"poller":"p1","reason":"cut off"}"#, status: 503)
        }
        #expect(poller.status == .tryAgain && poller.failure?.message == "cut off")
        #expect(poller.output.contains("ready      no\npoller     p1\nreason     cut off\nscheduler  yes\n"))
        #expect(poller.requests.allSatisfy { $0.headers["Authorization"] == nil })
        let stranger = try await rollcall("status") { _ in .json("{}", status: 404) }
        #expect(stranger.status == .notFound)
    }
}
