import Foundation
import Testing

/// Clients that people have, as they come: each has a way of its own to open, keep, and end a connection.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct ClientToolTests {
    private static let model = "m"
    private static let key = "key-of-the-client-tools"
    private static let chat = #"{"model":"m","max_tokens":3,"messages":[{"role":"user","content":"x"}]}"#

    /// A deployment with one endpoint, and a gateway that lists the model `m`.
    private func serving(_ body: (Deployment, Node) async throws -> Void) async throws {
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("a", kind: "vllm", models: [Self.model])
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(["a"])])
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway()
            try await eventually("the model is listed") { try await gateway.server.models() == [Self.model] }
            try await body(deployment, gateway)
        }
    }

    /// The JDK offers `Upgrade: h2c` with its first request, and keeps the connection for the next ones.
    @Test(.timeLimit(.minutes(2)), .enabled(if: Tool.javac != nil, "needs a JDK, which scripts/install does not bring"))
    func aJDKClientPostsThreeTimes() async throws {
        try await serving { _, gateway in
            let output = try await run(
                try #require(Tool.java),
                [
                    "-Xmx64m", "-XX:TieredStopAtLevel=1", Paths.programs.appendingPathComponent("PostThrice.java").path,
                    gateway.server.base + "/v1/chat/completions", Self.chat,
                ])
            #expect(output.split(separator: "\n") == ["200 HTTP_1_1", "200 HTTP_1_1", "200 HTTP_1_1"], "\(output)")
        }
    }

    /// The second request must come by the connection that carried the offer of an upgrade.
    @Test(.timeLimit(.minutes(2)))
    func curlOffersHTTP2AndKeepsItsConnection() async throws {
        try await serving { _, gateway in
            let url = gateway.server.base + "/v1/models"
            let output = try await run(
                "/usr/bin/curl",
                [
                    "--silent", "--show-error", "--max-time", "8", "--http2", "--output", "/dev/null", "--output",
                    "/dev/null", "--write-out", "%{http_code} %{http_version} %{num_connects}\n", url, url,
                ])
            #expect(output == "200 1.1 1\n200 1.1 0\n", "\(output)")
        }
    }

    /// ApacheBench speaks HTTP/1.0 and takes an answer for done when the connection ends.
    @Test(.timeLimit(.minutes(2)), .enabled(if: Tool.ab != nil, "needs ab (Debian's apache2-utils)"))
    func apacheBenchSpeaksHTTP10() async throws {
        try await serving { deployment, gateway in
            let body = deployment.folder.appendingPathComponent("chat.json")
            try Data(Self.chat.utf8).write(to: body)
            let posted = ["-p", body.path, "-T", "application/json"]
            for arguments in [["/v1/models"], ["-k", "/v1/models"], posted + ["/v1/chat/completions"]] {
                let url = gateway.server.base + (arguments.last ?? "")
                let output = try await run(
                    try #require(Tool.ab), ["-q", "-s", "6", "-n", "2"] + arguments.dropLast() + [url])
                #expect(output.contains(/Complete requests: +2\n/), "\(arguments): \(output)")
                #expect(output.contains(/Failed requests: +0\n/), "\(arguments): \(output)")
                #expect(!output.contains("Non-2xx responses"), "\(arguments): \(output)")
            }
        }
    }

    /// Node's own client (undici), which also reads a stream piece by piece.
    @Test(
        .timeLimit(.minutes(2)), .enabled(if: Tool.node != nil, "needs Node.js, which scripts/install does not bring"))
    func nodeListsPostsAndStreams() async throws {
        try await serving { _, gateway in
            let output = try await run(
                try #require(Tool.node),
                [Paths.programs.appendingPathComponent("fetch.mjs").path, gateway.server.base, Self.model])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            #expect(seen["listed"].array == [.string(Self.model)])
            #expect(seen["unchanged"].integer == 304)
            #expect(seen["chat"].string?.isEmpty == false)
            #expect((seen["events"].integer ?? 0) > 3)
            #expect(seen["last"].string == "data: [DONE]")
            #expect(seen["refused"].string == "model_not_found")
        }
    }

    /// Loops that end only if the server calls a tool and then answers, and a model with a nested schema: OpenAI's client
    /// and Anthropic's, through the gateway, on a simulated server.
    @Test(.timeLimit(.minutes(2)), .enabled(if: Paths.python != nil, "needs scripts/test"))
    func agentsCallToolsAndAnswersFollowSchemas() async throws {
        try await serving { _, gateway in
            let program = Paths.programs.appendingPathComponent("agent_clients.py").path
            let python = try #require(Paths.python).path
            let output = try await run(python, [program, gateway.server.base, Self.model])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            for api in ["chat", "responses", "messages"] {
                let turns = seen[api].array
                #expect(turns.count == 2, "\(api): \(turns)")
                #expect(turns.first?.array.first?.string == "weather")
                #expect(turns.first?.array.last?["town"].string == "simulated town")
                #expect(turns.last?.string?.hasPrefix("Hello from a") == true)
            }
            #expect(seen["pet"]["kind"].string == "cat" && seen["pet"]["owners"].array.count == 2)
            #expect(seen["pet"]["parent"]["tag"].string == "AA-1111")
        }
    }

    /// Anthropic's own client, page by page through more models than a page has.
    @Test(.timeLimit(.minutes(2)), .enabled(if: Paths.python != nil, "needs scripts/test"))
    func anthropicsClientListsModels() async throws {
        let names = (10..<54).map { "org/model-\($0)" }
        try await Deployment.run { deployment in
            let fleet = try await deployment.fleet()
            try await fleet.put("a", kind: "vllm", models: names + ["zeta"])
            _ = try await deployment.registrar("registrar", ["ROLLCALL_ENDPOINTS": fleet.setting(["a"])])
            _ = try await deployment.poller()
            let gateway = try await deployment.readyGateway()
            try await eventually("the models are listed") { try await gateway.server.models().count == 45 }
            let output = try await run(
                try #require(Paths.python).path,
                [Paths.programs.appendingPathComponent("anthropic_models.py").path, gateway.server.base])
            let seen = try JSONDecoder().decode(JSON.self, from: Data(output.utf8))
            #expect(seen["listed"].array.compactMap(\.string) == names + ["zeta"])
            #expect(seen["pages"].array.compactMap(\.integer) == [20, 20, 5])
            #expect(seen["before"].array.compactMap(\.string) == Array(names[20..<30]))
            #expect(seen["retrieved"].string == names[0] && seen["name"].string == names[0])
            #expect(seen["type"].string == "model" && seen["equal"] == .bool(true))
            #expect(seen["missing"].array.compactMap(\.string) == ["error", "model_not_found"])
        }
    }

    /// A page of another site, in a real browser, to which its user has given a key. Without `ROLLCALL_CORS_ORIGINS` the
    /// browser lets its script read nothing.
    @Test(
        .timeLimit(.minutes(3)), .enabled(if: Tool.chromium != nil, "needs chromium (Debian's package of that name)"),
        arguments: [false, true])
    func aPageOfAnotherSite(isListed: Bool) async throws {
        let port = try Ports.free()
        let site = "http://127.0.0.1:\(port)"
        try await serving { deployment, _ in
            let gateway = try await deployment.readyGateway(
                "keyed",
                ["ROLLCALL_ADMIN_KEY": Self.key].merging(isListed ? ["ROLLCALL_CORS_ORIGINS": site] : [:]) { $1 })
            let output = try await run(
                "/usr/bin/python3",
                [
                    Paths.programs.appendingPathComponent("other_site.py").path, try #require(Tool.chromium), "\(port)",
                    gateway.server.base, Self.key, Self.model, "\(deployment.folder.path)/browser",
                ])
            let seen = try JSONDecoder().decode([String: String].self, from: Data(output.utf8))
            let expected =
                isListed
                ? ["200 m", "200 chat.completion", "200 data: [DONE]", "404 model_not_found"]
                : Array(repeating: "TypeError", count: 4)
            #expect(["list", "chat", "stream", "missing"].map { seen[$0] } == expected, "\(seen)")
        }
    }
}

/// Programs that a machine may have.
private enum Tool {
    static let java = find("java")
    static let javac = find("javac")
    static let ab = find("ab")
    static let node = find("node")
    static let chromium = find("chromium")

    private static func find(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
