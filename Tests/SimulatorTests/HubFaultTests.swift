import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Simulator

@Suite("The Hub's faults", .timeLimit(.minutes(1)))
struct HubFaultTests {
    private static let uri = "/hub/api/models/Qwen/Qwen3-14B-Instruct"

    @Test("429 and 503 say how long to wait, as each does")
    func limits() async throws {
        try await withHub { client in
            _ = try await client.control(.patch, "", #"{"fault":"429","retry_after":7}"#)
            let limited = try await client.get(Self.uri)
            #expect(limited.status == .tooManyRequests && limited.headers[.retryAfter] == nil)
            #expect(limited.headers[.rateLimit] == #""api";r=0;t=7"#)
            _ = try await client.control(.patch, "", #"{"retry_after_header":true}"#)
            #expect(try await client.get(Self.uri).headers[.retryAfter] == "7")
            _ = try await client.control(.patch, "", #"{"fault":"503"}"#)
            let away = try await client.get(Self.uri)
            #expect(away.status == .serviceUnavailable && away.headers[.retryAfter] == "7")
            _ = try await client.control(.patch, "", #"{"fault":"500"}"#)
            #expect(try await client.get(Self.uri).status == .internalServerError)
            _ = try await client.control(.patch, "", #"{"fault":"none"}"#)
            #expect(try await client.get(Self.uri).status == .ok)
        }
    }

    @Test("A fault for some requests, of one kind, of one repository")
    func narrow() async throws {
        try await withHub { client in
            _ = try await client.control(.patch, "", #"{"fault":"500","times":2,"only":"api"}"#)
            let file = "/hub/Qwen/Qwen3-14B-Instruct/resolve/main/config.json"
            #expect(try await client.get(file).status == .ok)
            for status in [500, 500, 200] { #expect(try await client.get(Self.uri).status.code == status) }
            #expect(try await client.hubReport().behaviour.timesLeft == 0)
            let own = #"{"behaviour":{"fault":"503","only":"small_file"}}"#
            _ = try await client.control(.patch, "/repositories/Qwen/Qwen3-14B-Instruct", own)
            #expect(try await client.get(file).status == .serviceUnavailable)
            #expect(try await client.get(Self.uri).status == .ok)
            #expect(try await client.get("/hub/api/models/Qwen/Qwen3-8B-Instruct-GGUF").status == .ok)
            for wrong in [#"{"fault":"odd"}"#, #"{"speed":1}"#, #"{"only":"everything"}"#] {
                #expect(try await client.control(.patch, "", wrong).status == .badRequest)
            }
        }
    }

    @Test("Wrong bodies and redirects to elsewhere")
    func bodies() async throws {
        try await withHub { client in
            _ = try await client.control(.patch, "", #"{"fault":"html"}"#)
            let page = try await client.get(Self.uri)
            #expect(page.status == .ok && page.headers[.contentType]?.hasPrefix("text/html") == true)
            _ = try await client.control(.patch, "", #"{"fault":"huge"}"#)
            #expect(try await client.get(Self.uri).body.readableBytes > 40_000_000)
            _ = try await client.control(.patch, "", #"{"fault":"redirect_host"}"#)
            #expect(try await client.get(Self.uri).headers[.location] == "http://hub.invalid\(Self.uri)")
            _ = try await client.control(.patch, "", #"{"fault":"redirect_loopback"}"#)
            let elsewhere = try await client.get(Self.uri).headers[.location]
            #expect(elsewhere?.hasPrefix("http://127.0.0.2") == true && elsewhere?.hasSuffix(Self.uri) == true)
        }
    }

    @Test("Connections that end early", arguments: ["truncated", "reset", "away"])
    func broken(fault: String) async throws {
        try await withHub { client in
            _ = try await client.control(.patch, "", #"{"fault":"\#(fault)"}"#)
            await #expect(throws: (any Error).self) { try await client.get(Self.uri) }
        }
    }

    @Test("Slow answers come, hanging ones do not")
    func patience() async throws {
        try await withHub { client in
            _ = try await client.control(.patch, "", #"{"fault":"slow","latency_ms":2}"#)
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try await client.get(Self.uri).status == .ok)
            #expect(clock.now - start > .milliseconds(200))
            _ = try await client.control(.patch, "", #"{"fault":"hang"}"#)
            await withTaskGroup(of: Bool.self) { group in
                group.addTask { (try? await client.get(Self.uri)) != nil }
                group.addTask {
                    // A hanging Hub never answers: this is how long the client has patience.
                    try? await Task.sleep(for: .milliseconds(300))
                    return false
                }
                #expect(await group.next() == false)
                group.cancelAll()
            }
        }
    }

    @Test("Requests are counted by kind and repository, and tokens are not kept")
    func counts() async throws {
        try await withHub { client in
            let file = "/hub/Qwen/Qwen3-8B-Instruct-GGUF/resolve/main"
            _ = try await client.get(Self.uri, token: "secret-token")
            _ = try await client.get("\(file)/README.md")
            _ = try await client.execute(uri: "\(file)/Qwen3-8B-Instruct-F16.gguf", method: .head) { $0 }
            #expect(try await client.hubReport().weightsRequests == 0)
            _ = try await client.get("\(file)/Qwen3-8B-Instruct-F16.gguf")
            _ = try await client.get("/hub/api/models/no/thing?blobs=true")
            let response = try await client.get("/control/hub")
            #expect(!String(buffer: response.body).contains("secret-token"))
            let report = try await client.hubReport()
            #expect(report.requests == 5 && report.requestsWithToken == 1 && report.weightsRequests == 1)
            #expect(report.kinds == ["api": 2, "head": 1, "other": 0, "small_file": 1, "weights": 1])
            #expect(report.repositories["Qwen/Qwen3-8B-Instruct-GGUF"]?.requests == 3)
            #expect(report.otherRepositories == ["no/thing": 1])
            #expect(report.recent.last?.path == "/hub/api/models/no/thing?blobs=true")
            #expect(report.recent.map(\.hasToken) == [true, false, false, false, false])
            try await client.execute(uri: "/control/reset-counters", method: .post) { _ in }
            #expect(try await client.hubReport().requests == 0)
        }
    }
}
