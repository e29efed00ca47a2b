import Catalog
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

/// What is decided by a request's head, and what every answer has.
@Suite struct VerdictTests {
    private func verdict(_ bench: Bench, _ method: String, _ path: String, _ headers: [String: String] = [:]) throws
        -> String
    {
        switch bench.responder.begin(try bench.request(method, path, headers: headers)) {
        case .answer(let response): "\(response.status.code)"
        case .task(let call): "task \(call.match.route.name)"
        case .inference(let path, let call): "\(path.path) of \(call.match.route.name) for \(call.caller.name)"
        }
    }

    @Test(arguments: [
        ("GET", "/v1/models", "200"), ("HEAD", "/v1/models", "200"), ("GET", "/v1/models?client_version=1", "200"),
        ("GET", "/v1/models/org/family/model", "200"), ("GET", "/healthz", "200"), ("GET", "/readyz", "200"),
        ("GET", "/v1/models?min_version=1-1&wait=9s", "200"), ("GET", "/v1/models?min_version=1-9", "task /v1/models"),
        ("GET", "/v1/models/a?min_version=1-9", "task /v1/models/{id...}"), ("GET", "/v1/models?wait=x", "400"),
        ("GET", "/v0/endpoints", "task /v0/endpoints"), ("PUT", "/v1/models", "405"), ("GET", "/nowhere", "404"),
        ("DELETE", "/v0/models/a%2Fb", "task /v0/models/{org}/{name}"),
        ("POST", "/v1/messages", "/v1/messages of /v1/messages for anonymous"),
        ("POST", "/v1/audio/%73peech/", "/v1/audio/speech of /v1/audio/{path...} for anonymous"),
        ("POST", "/v1/audio/../x", "404"),
    ])
    func theHeadDecides(_ method: String, _ path: String, _ expected: String) throws {
        #expect(try verdict(Bench(Fleet.usual), method, path) == expected)
    }

    @Test func whatIsRefusedIsNotRead() throws {
        let bench = try Bench(adminKey: Keys.admin)
        let long = ["Content-Length": "1048577"]
        #expect(try verdict(bench, "POST", "/v0/endpoints", long) == "401")
        let admin = long.merging(["X-API-Key": Keys.admin]) { $1 }
        #expect(try verdict(bench, "POST", "/v0/endpoints", admin) == "413")
        #expect(try verdict(bench, "POST", "/v1/completions", admin) == "/v1/completions of /v1/completions for admin")
    }

    @Test func messagesHaveTheTypeOfAnthropicsErrors() async throws {
        let bench = try Bench(adminKey: Keys.admin)
        for path in ["/v1/messages", "/v1/messages/count", "/v1/messages/"] {
            for method in ["POST", "GET"] {
                _ = try await bench.send(method, path).errorCode(isTyped: true)
            }
        }
        for path in ["/v1/messagesx", "/v1/message", "/v1/chat/completions"] {
            _ = try await bench.send("POST", path).errorCode()
        }
    }

    @Test func answersThatDependOnAKeyAreNotShared() async throws {
        let bench = try Bench(Registered.usual + Keys.usual, adminKey: Keys.admin)
        for (path, status) in [
            ("/v1/models", 200), ("/v1/models/none", 404), ("/v0/endpoints", 200), ("/v0/keys", 200),
            ("/v0/models", 200),
            ("/v0/models/registry/org/model-gguf/manifest.json", 200),
        ] {
            for (key, expected) in [(Keys.admin, status), ("wrong", 401)] {
                let answer = try await bench.send("GET", path, headers: ["X-API-Key": key])
                #expect(answer.status == expected)
                #expect(answer.header("Cache-Control") == "private, no-cache", "\(path)")
                // Two shapes: of errors, and of the list.
                let shape = answer.status >= 400 || path.hasPrefix("/v1/models") ? "anthropic-version, " : ""
                #expect(answer.header("Vary") == shape + "Authorization, X-API-Key, api-key", "\(path)")
            }
        }
        let etag = try #require(
            try await bench.send("GET", "/v1/models", headers: ["api-key": Keys.admin]).header("ETag"))
        let unchanged = try await bench.send(
            "GET", "/v1/models", headers: ["api-key": Keys.admin, "If-None-Match": etag])
        #expect(unchanged.status == 304 && unchanged.header("Vary") != nil && unchanged.header("Content-Length") == nil)
        let made = try await bench.send("POST", "/v0/keys", Keys.draft, headers: ["X-API-Key": Keys.admin])
        #expect(made.status == 201 && made.header("Cache-Control") == "no-store" && made.header("Vary") != nil)
        for path in ["/healthz", "/readyz", "/nowhere"] {
            let answer = try await bench.send("GET", path)
            #expect(answer.header("Vary") == (answer.status == 404 ? "anthropic-version" : nil))
            #expect(answer.header("Cache-Control") == nil)
        }
        let head = try bench.request("HEAD", "/v1/models", headers: ["X-API-Key": Keys.admin])
        #expect(await bench.responder.response(to: head).body.readableBytes == 0)
    }

    @Test func aGatewayThatStopsIsNotReady() async throws {
        let bench = try Bench(Fleet.usual)
        bench.drain.begin()
        let answer = try await bench.send("GET", "/readyz")
        #expect(answer.status == 503 && answer.header("Retry-After") == "1")
        #expect(try answer.json()["reason"] as? String == "stopping" && answer.text.contains("gateway_stopping"))
        #expect(try await bench.send("GET", "/v1/models").status == 200)
    }

    @Test(.timeLimit(.minutes(1))) func aClientThatGoesAwayIsNotWaitedFor() async throws {
        let bench = try Bench(Fleet.usual)
        let request = try bench.request("GET", "/v1/models?min_version=9-9&wait=30s")
        let start = ContinuousClock.now
        let task = Task { await bench.responder.response(to: request).status.code }
        task.cancel()
        #expect(await task.value == 504)
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
