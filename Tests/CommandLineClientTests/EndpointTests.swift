import Conventions
import Foundation
import JSON
import Synchronization
import Testing

@testable import CommandLineClient

@Suite("rollcall endpoints", .timeLimit(.minutes(1)))
struct EndpointTests {
    private static let record = """
        {"base_url":"http://10.0.0.5:8000","consecutive_failures":0,"created_at":"2026-11-22T20:00:00Z","draining":true,\
        "has_api_key":true,"id":"3f","kind":"vllm","labels":{"b":"2","a":"1"},"last_error":null,\
        "last_ok_at":"2026-11-22T20:01:00.000Z","last_polled_at":null,"latency_ms":12,"max_concurrency":null,\
        "model_count":2,"name":"gpu-1","poll_interval_seconds":5,"poller":"p1","revision":7,"state":"online",\
        "models":[{"id":"org/one","context_length":8192},{"id":"two"}]}
        """

    @Test("The list, filtered")
    func list() async throws {
        let ran = try await rollcall("endpoints", "list", "--state", "online", "--label", "rack=1 a") { _ in
            .json(#"{"endpoints":[\#(Self.record),{"name":"new","state":"pending"}],"total":2}"#)
        }
        #expect(
            ran.output == """
                NAME   KIND  STATE             MODELS  LATENCY  LAST OK                   BASE URL
                gpu-1  vllm  online, draining       2    12 ms  2026-11-22T20:01:00.000Z  http://10.0.0.5:8000
                new    -     pending                -        -  -                         -

                """)
        #expect(ran.requests.map(\.path) == ["/v0/endpoints?state=online&label=rack%3D1%20a"])
        #expect(ran.requests.first?.headers["user-agent"]?.hasPrefix("rollcall/") == true)
        #expect(ran.requests.first?.headers["authorization"] == nil)
    }

    @Test("The list says why an endpoint is not online")
    func listWithErrors() async throws {
        let refused = #"{"code":"connect_failed","message":"Connection refused"}"#
        let ran = try await rollcall("endpoints", "list") { _ in
            .json(
                #"{"endpoints":[{"name":"a","state":"online"},{"name":"b","state":"offline","last_error":\#(refused)}]}"#
            )
        }
        #expect(
            ran.output == """
                NAME  KIND  STATE    MODELS  LATENCY  LAST OK  BASE URL  ERROR
                a     -     online        -        -  -        -         -
                b     -     offline       -        -  -        -         Connection refused (connect_failed)

                """)
        #expect(ran.notes.first == "To do:" && ran.notes.last?.hasPrefix("  b: start the server") == true)
        #expect(try await rollcall("endpoints", "list", "--json") { _ in .json(#"{"endpoints":[]}"#) }.notes == [])
    }

    @Test("One, with its models; as JSON, byte for byte")
    func show() async throws {
        let text = try await rollcall("endpoints", "show", "gpu-1", environment: ["ROLLCALL_API_KEY": "k1"]) { _ in
            .json(Self.record)
        }
        #expect(text.output.contains("labels       a=1, b=2\n") && text.output.contains("has key      yes\n"))
        #expect(text.output.hasSuffix("MODEL    CONTEXT  QUANT\norg/one     8192  -\ntwo            -  -\n"))
        #expect(text.requests.first?.headers["authorization"] == "Bearer k1")
        let json = try await rollcall("--json", "endpoints", "show", "gpu-1") { _ in .json(Self.record) }
        #expect(json.output == Self.record + "\n")
    }

    @Test("Adding sends what was given, and a key of its own")
    func add() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID().uuidString)")
        try Data("sk-1\n".utf8).write(to: file)
        let ran = try await rollcall(
            "endpoints", "add", "gpu-1", "http://10.0.0.5:8000", "--label", "a=1", "--poll-interval", "5",
            "--endpoint-key-file", file.path
        ) { _ in .json(Self.record, status: 201) }
        try FileManager.default.removeItem(at: file)
        let request = try #require(ran.requests.first)
        #expect(request.method == "POST" && request.path == "/v0/endpoints")
        #expect(
            request.fields == [
                "name": .string("gpu-1"), "base_url": .string("http://10.0.0.5:8000"),
                "labels": .object(["a": .string("1")]), "poll_interval_seconds": .integer(5),
                "api_key": .string("sk-1"),
            ])
        #expect(request.headers["idempotency-key"]?.count == 36)
        #expect(request.headers["content-type"] == "application/json")
        #expect(ran.output.hasPrefix("name         gpu-1\n"))
    }

    @Test("Adding at a terminal shows what the first poll has found")
    func waiting() async throws {
        let polls = Mutex(0)
        let state: @Sendable (String, String) -> StubGateway.Reply = { state, error in
            .json(#"{"id":"7f","name":"gpu-1","state":"\#(state)","last_error":\#(error),"models":[{"id":"m"}]}"#)
        }
        func add(_ arguments: String..., isTerminal: Bool, outcome: StubGateway.Reply) async throws -> Ran {
            try await rollcall(
                ["endpoints", "add", "gpu-1", "http://a"] + arguments, isTerminal: isTerminal, limit: .seconds(2)
            ) { asked in
                if asked.method == "POST" { return state("pending", "null") }
                return polls.withLock { polls in
                    polls += 1
                    return polls % 2 == 1 ? state("pending", "null") : outcome
                }
            }
        }
        let online = try await add(isTerminal: true, outcome: state("online", "null"))
        #expect(
            online.status == .success
                && online.requests.map(\.path).dropFirst() == ["/v0/endpoints/7f", "/v0/endpoints/7f"])
        #expect(online.output.contains("state        online\n") && online.output.hasSuffix("m            -  -\n"))
        let refused = #"{"code":"connect_failed","message":"Connection refused"}"#
        let offline = try await add("--wait", isTerminal: false, outcome: state("degraded", refused))
        #expect(
            offline.status == .failure && offline.output.contains("last error   Connection refused (connect_failed)"))
        #expect(offline.failure?.message == "gpu-1 was added, and is not online: Connection refused (connect_failed)")
        #expect(offline.failure?.hint?.hasPrefix("To do: start the server") == true)
        #expect(offline.failure?.hint?.hasSuffix("To remove it: rollcall endpoints remove gpu-1") == true)
        for quick in [
            try await add(isTerminal: false, outcome: state("online", "null")),
            try await add("--no-wait", isTerminal: true, outcome: state("online", "null")),
        ] {
            #expect(quick.requests.count == 1 && quick.status == .success)
        }
        let never = try await add("--wait", isTerminal: false, outcome: state("pending", "null"))
        #expect(never.status == .tryAgain && never.failure?.code == "still_pending")
    }

    @Test(
        "Every way in which a poll fails has its advice",
        arguments: [
            "connect_failed", "connect_timeout", "timeout", "resolve_failed", "tls_failed", "unauthorized", "forbidden",
            "redirected", "http_status", "html", "not_json", "rollcall_gateway", "key_unreadable", "invalid_url",
            "empty_body", "no_list", "no_usable_entry", "error_body",
        ])
    func advice(code: String) throws {
        let advice = try #require(PollAdvice.text(for: code, endpoint: "gpu-1"))
        for command in advice.split(separator: "rollcall ").dropFirst() {
            #expect(command.hasPrefix("endpoints update gpu-1 --"), "\(command)")
        }
    }

    @Test("Updating sends only what changes, null where it goes")
    func update() async throws {
        let ran = try await rollcall(
            "endpoints", "update", "gpu-1", "--no-draining", "--max-concurrency", "default", "--no-labels",
            "--no-endpoint-key", "--idempotency-key", "mine"
        ) { _ in .json(Self.record) }
        let request = try #require(ran.requests.first)
        #expect(request.method == "PATCH" && request.path == "/v0/endpoints/gpu-1")
        #expect(
            request.fields == [
                "draining": .bool(false), "max_concurrency": .null, "labels": .object([:]), "api_key": .null,
            ])
        #expect(request.headers["idempotency-key"] == "mine")
    }

    @Test("Removing and polling")
    func others() async throws {
        let removed = try await rollcall("endpoints", "remove", "gpu-1") { _ in .init(status: 204) }
        #expect(removed.requests.first?.method == "DELETE" && removed.output == "removed gpu-1\n")
        #expect(removed.requests.first?.headers["content-type"] == "application/json")
        let polled = try await rollcall("endpoints", "poll", "gpu-1") { _ in .json(Self.record) }
        #expect(polled.requests.first?.path == "/v0/endpoints/gpu-1/poll" && polled.status == .success)
        let slow = try await rollcall("endpoints", "poll", "gpu-1") { _ in .json(Self.record, status: 202) }
        #expect(slow.status == .tryAgain && slow.output.hasPrefix("name         gpu-1\n"))
    }

    @Test("Errors end with the message, the code, and an exit code")
    func errors() async throws {
        let missing = try await rollcall("endpoints", "show", "x") { _ in .error(404, "endpoint_not_found") }
        #expect(missing.failure?.description == "why endpoint_not_found (endpoint_not_found)")
        #expect(missing.status == .notFound && missing.output.isEmpty)
        let page = try await rollcall("endpoints", "list") { _ in .init(status: 502, body: "<html>") }
        #expect(page.status == .failure)
        #expect(
            page.failure?.message.hasPrefix("a server that is no gateway answered 502. It is a proxy before") == true)
        #expect(page.failure?.message.contains("http://127.0.0.1:") == true)
        let other = try await rollcall("endpoints", "list") { _ in .init(status: 200, body: "<html>") }
        #expect(other.failure?.message.contains("not JSON") == true)
        for body in [#"{"endpoints":["x"]}"#, "{}", "[]", #"{"data":[]}"#] {
            let stranger = try await rollcall("endpoints", "list") { _ in .json(body) }
            #expect(stranger.status == .failure && stranger.output.isEmpty, "\(body)")
            #expect(stranger.failure?.message.contains("not the list of a gateway") == true)
        }
        let away = try await rollcall("status", environment: ["ROLLCALL_URL": "http://127.0.0.1:1"]) { _ in .init() }
        #expect(away.status == .unreachable && away.failure?.code == "connect_failed")
        for part in ["make run", "--url", "ROLLCALL_URL"] { #expect(away.failure?.hint?.contains(part) == true) }
    }
}
