import Synchronization
import TestSupport
import Testing

@testable import CommandLineClient

@Suite("Writes whose outcome is not known", .timeLimit(.minutes(1)))
struct WriteTests {
    /// Gives one reply after the other, the last one for ever.
    private func inTurn(_ replies: [StubGateway.Reply]) -> StubGateway.Answering {
        let rest = Rest(replies)
        return { _ in rest.next() }
    }

    private final class Rest: Sendable {
        private let replies: Mutex<[StubGateway.Reply]>
        init(_ replies: [StubGateway.Reply]) { self.replies = Mutex(replies) }
        func next() -> StubGateway.Reply {
            replies.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        }
    }

    /// A gateway that reads one request, and then is gone: it neither answers nor listens any more.
    private final class Brief: Sendable {
        private let server = Mutex<RawServer?>(nil)
        private let asked = Mutex<[String]>([])
        var lines: [String] { asked.withLock { $0 } }

        static func listen() -> (url: String, Brief) {
            let brief = Brief()
            let server = RawServer { connection in
                // The listener closes with the last reference to its server.
                brief.server.withLock { $0 = nil }
                if let request = connection.readRequest() { brief.asked.withLock { $0.append(request.line) } }
            }
            brief.server.withLock { $0 = server }
            return (server.url, brief)
        }
    }

    @Test("They are sent again with the same key, after the time that the gateway says")
    func again() async throws {
        let ran = try await rollcall(
            "models", "remove", "a/b",
            answering: inTurn([
                .error(503, "outcome_unknown", headers: ["Retry-After": "7"]),
                .error(503, "broker_unavailable"), .init(body: "half", isCut: true), .init(status: 204),
            ]))
        #expect(ran.status == .success && ran.requests.count == 4)
        #expect(Set(ran.requests.map { $0.headers["idempotency-key"] }).count == 1)
        #expect(ran.pauses == [.seconds(7), .seconds(2), .seconds(2)])
        #expect(
            ran.notes.first
                == "outcome_unknown: sending it again with the same Idempotency-Key in 7 s (attempt 2 of 5)")
        #expect(ran.notes.count == 3)
    }

    @Test("Not for ever, and then the key is told")
    func bounded() async throws {
        let ran = try await rollcall("models", "remove", "a/b", "--idempotency-key", "k9") { _ in
            .error(503, "outcome_unknown")
        }
        #expect(ran.requests.count == 5 && ran.status == .tryAgain)
        #expect(ran.failure?.hint?.hasSuffix("--idempotency-key k9") == true)
        let sure = try await rollcall("models", "remove", "a/b") { _ in .error(503, "broker_unavailable") }
        #expect(sure.failure?.hint == nil)
        let short = try await rollcall("models", "remove", "a/b", limit: .seconds(5)) { _ in
            .error(503, "outcome_unknown", headers: ["Retry-After": "4"])
        }
        #expect(short.requests.count == 2 && short.status == .tryAgain)
    }

    @Test("Other answers are final")
    func final() async throws {
        for (status, code, exit) in [
            (503, "catalog_not_ready", ExitReason.tryAgain), (409, "name_taken", .conflict),
            (422, "idempotency_key_reused", .badInput), (500, "outcome_unknown", .failure),
        ] {
            let ran = try await rollcall("models", "remove", "a/b") { _ in .error(status, code) }
            #expect(ran.requests.count == 1 && ran.status == exit && ran.pauses.isEmpty)
        }
    }

    @Test("One that is only accepted is followed to its end")
    func accepted() async throws {
        let ran = try await rollcall("endpoints", "add", "gpu-1", "http://a") { asked in
            switch (asked.method, asked.path) {
            case ("POST", _): .json(#"{"operation":"op1"}"#, status: 202)
            case (_, "/v0/operations/op1"): .json(#"{"id":"op1","state":"succeeded","result":"id-7"}"#)
            default: .json(#"{"name":"gpu-1","id":"id-7"}"#)
            }
        }
        #expect(ran.requests.map(\.path) == ["/v0/endpoints", "/v0/operations/op1", "/v0/endpoints/id-7"])
        #expect(ran.output.hasPrefix("name         gpu-1\n"))
    }

    private static let page = StubGateway.Reply(
        status: 502, headers: ["Content-Type": "text/html"], body: "<html></html>")

    @Test("After a try without an answer, pages of a load balancer are tried again, and the key is told at the end")
    func balancer() async throws {
        for status in [502, 503, 504] {
            var page = Self.page
            page.status = status
            let ran = try await rollcall(
                "models", "remove", "a/b", "--idempotency-key", "k9", answering: inTurn([.init(isSilent: true), page]))
            #expect(ran.requests.count == 5 && ran.status == .tryAgain, "\(status)")
            #expect(ran.failure?.hint?.hasSuffix("--idempotency-key k9") == true)
        }
        // The load balancer may have handed the write to a gateway that then died.
        let first = try await rollcall("models", "remove", "a/b", answering: inTurn([Self.page, .init(status: 204)]))
        #expect(first.status == .success && first.requests.count == 2)
        // No gateway took it.
        let none = try await rollcall("models", "remove", "a/b") { _ in .init(status: 503, body: "<html></html>") }
        #expect(none.status == .tryAgain && none.requests.count == 1 && none.failure?.hint == nil)
    }

    @Test("After it, a gateway that is gone is tried again, and the key is told at the end")
    func gone() async throws {
        let (url, asked) = Brief.listen()
        let ran = try await rollcall(
            "--url", url, "models", "remove", "a/b", "--idempotency-key", "k9", answering: { _ in .init(status: 204) })
        #expect(asked.lines == ["DELETE /v0/models/a/b HTTP/1.1"])
        #expect(ran.status == .tryAgain && ran.pauses.count == 4 && ran.requests.isEmpty)
        #expect(ran.failure?.hint?.hasSuffix("--idempotency-key k9") == true)
        #expect(ran.failure?.code == "connect_failed")
        // Without a try before it, nothing can have been done.
        let away = try await rollcall("--url", "http://127.0.0.1:1", "models", "remove", "a/b") { _ in .init() }
        #expect(
            away.status == .unreachable && away.pauses.isEmpty
                && away.failure?.hint?.hasPrefix("Is a gateway running") == true)
    }

    @Test("After it, a refusal that says nothing of the write keeps the key, and an answer to the write is final")
    func answered() async throws {
        for (status, code, exit, isTold) in [
            (401, "unauthorized", ExitReason.tryAgain, true), (500, "internal", .tryAgain, true),
            (409, "name_taken", .conflict, false), (404, "endpoint_not_found", .notFound, false),
        ] {
            let ran = try await rollcall(
                "models", "remove", "a/b", answering: inTurn([.init(isSilent: true), .error(status, code)]))
            #expect(ran.status == exit && ran.requests.count == 2, "\(status)")
            #expect((ran.failure?.hint != nil) == isTold, "\(status)")
        }
    }
}
