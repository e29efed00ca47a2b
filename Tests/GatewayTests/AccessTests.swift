import Testing

@testable import Gateway

@Suite struct AccessTests {
    static let key = "the-admin-key-of-this-test"
    static let draft = #"{"name":"new","base_url":"http://new:1"}"#
    static let id = Fleet.firstID

    @Test func everyRouteNeedsTheKeyWhereOneIsSet() async throws {
        let bench = try Bench(Fleet.usual, adminKey: Self.key)
        let routes = [
            ("GET", "/v1/models"), ("GET", "/v1/models/org/family/model"), ("GET", "/v0/endpoints"),
            ("GET", "/v0/endpoints/alpha"), ("GET", "/v0/operations/a"), ("POST", "/v0/endpoints"),
            ("PATCH", "/v0/endpoints/alpha"), ("POST", "/v0/endpoints/alpha/poll"), ("DELETE", "/v0/endpoints/alpha"),
            ("GET", "/v0/models"), ("GET", "/v0/models/hub"), ("GET", "/v0/models/a/b"),
            ("GET", "/v0/models/registry/a/b/manifest.json"), ("POST", "/v0/models/register"),
            ("DELETE", "/v0/models/a/b"), ("POST", "/v0/models/a/b/refresh"), ("POST", "/v0/models/a/b/verify"),
            ("GET", "/v0/keys"), ("POST", "/v0/keys"), ("DELETE", "/v0/keys/a"),
        ]
        for (method, path) in routes {
            let none = try await bench.send(method, path)
            #expect(none.status == 401, "\(method) \(path)")
            #expect(try none.errorCode() == "missing_api_key")
            #expect(none.header("WWW-Authenticate") == "Bearer")
            let wrong = try await bench.send(method, path, headers: ["Authorization": "Bearer \(Self.key)x"])
            #expect(wrong.status == 401, "\(method) \(path)")
            #expect(try wrong.errorCode() == "invalid_api_key")
            #expect(!wrong.text.contains(Self.key))
        }
        #expect(bench.registrar.commands.isEmpty)
        // One line for each code in ten seconds, whoever asks for what.
        #expect(bench.log.lines.filter { $0.contains("Request refused") }.count == 2)
        #expect(!bench.log.lines.contains { $0.contains(Self.key) })
        for path in ["/healthz", "/readyz"] { #expect(try await bench.send("GET", path).status == 200) }
    }

    @Test(arguments: [
        ["Authorization": "Bearer \(key)"], ["authorization": "bearer  \(key)"], ["X-API-Key": key],
        ["Authorization": "Bearer \(key)", "X-API-Key": key], ["Authorization": "Basic abc", "X-API-Key": key],
        ["api-key": key], ["Authorization": "BEARER \t\(key) "], ["X-API-Key": " \(key)\t"],
    ])
    func theKeyMayComeInEitherHeader(headers: [String: String]) async throws {
        let bench = try Bench(Fleet.usual, adminKey: Self.key)
        #expect(try await bench.send("GET", "/v1/models", headers: headers).status == 200)
        // A key speaks for itself: neither the host nor the origin matter.
        let elsewhere = headers.merging(["Origin": "https://example.org"]) { $1 }
        let created = try await bench.send(
            "POST", "/v0/endpoints", Self.draft, headers: elsewhere, host: "rollcall.example.org")
        #expect(created.status == 201)
    }

    /// Clients often send a placeholder in one header and the real key in another.
    @Test(
        arguments: [
            (["Authorization": "Bearer \(key)", "X-API-Key": "another"], 200, nil),
            (["Authorization": "Bearer dummy", "X-API-Key": "rc_only-models"], 200, nil),
            (["Authorization": "Bearer dummy", "api-key": "rc_only-models"], 200, nil),
            (["Authorization": "Bearer ", "X-API-Key": key], 200, nil),
            (["Authorization": "Bearer rc_only-models\nBearer dummy"], 200, nil),
            (["Authorization": "Bearer rc_expired", "X-API-Key": "rc_only-models"], 200, nil),
            (["Authorization": "Bearer dummy", "X-API-Key": "another"], 401, "invalid_api_key"),
            (["Authorization": "Bearer rc_expired", "X-API-Key": "another"], 401, "key_expired"),
            (["Authorization": "Bearer dummy", "X-API-Key": "rc_only-inference"], 403, "insufficient_scope"),
            (["Authorization": "Bearer \(key)", "X-API-Key": "rc_only-models"], 400, "conflicting_keys"),
            (["api-key": "rc_only-inference", "X-API-Key": "rc_only-models"], 400, "conflicting_keys"),
            (["X-API-Key": "rc_only-inference\nrc_only-models"], 400, "conflicting_keys"),
        ] as [([String: String], Int, String?)])
    func ofTwoDifferentKeysTheValidOneCounts(_ headers: [String: String], _ status: Int, _ code: String?) async throws {
        let bench = try Bench(Fleet.usual + Keys.usual, adminKey: Self.key)
        let answer = try await bench.send("GET", "/v1/models", headers: headers)
        #expect(answer.status == status, "\(answer.text)")
        if let code { #expect(try answer.errorCode() == code) }
    }

    private func message(_ headers: [String: String], _ method: String = "GET", _ path: String = "/v1/models")
        async throws
        -> String
    {
        let bench = try Bench(Fleet.usual + Keys.usual, adminKey: Self.key)
        let answer = try await bench.send(method, path, headers: headers)
        let error = try #require(answer.json()["error"] as? [String: Any])
        return try #require(error["message"] as? String)
    }

    @Test func whatIsWrongWithAKeyIsTold() async throws {
        for headers in [[:], ["Authorization": ""], ["X-API-Key": " "]] {
            let none = try await message(headers)
            #expect(none.contains("no key") && none.contains("Authorization: Bearer KEY"), "\(none)")
            #expect(none.contains("X-API-Key: KEY"), "\(none)")
        }
        for value in ["Basic YTpi", "rc_only-models", "Token rc_only-models", "Bearer"] {
            let form = try await message(["Authorization": value])
            #expect(form.contains("Authorization: Bearer KEY") && form.contains("not of the form"), "\(form)")
            #expect(!form.contains("rc_only") && !form.contains("YTpi"), "\(form)")
        }
        for id in ["nobody", "revoked"] {
            let unknown = try await message(Keys.bearer(id))
            #expect(unknown.contains("not known") && unknown.contains("revoked"), "\(unknown)")
            #expect(!unknown.contains("rc_" + id), "\(unknown)")
        }
        // Of another provider.
        #expect(try await message(["X-API-Key": "sk-proj-1"]).contains("begin with rc_"))
        let expired = try await message(Keys.bearer("expired"))
        #expect(expired.contains("expired at 2027-01-15T08:00:00Z"), "\(expired)")
        let scope = try await message(Keys.bearer("only-inference"))
        #expect(scope.contains("the scope \"models\"") && scope.contains("it has \"inference\""), "\(scope)")
        let admin = try await message(Keys.bearer("only-models"), "POST", "/v0/endpoints")
        #expect(admin.contains("the scope \"admin\""), "\(admin)")
    }

    @Test(arguments: ["", "Bearer", "Bearer ", "Basic \(key)", key, "Bearer \(key) x", "Bearer \(key.dropLast())"])
    func whatIsNotTheKeyIsRefused(authorization: String) async throws {
        let answer = try await Bench(adminKey: Self.key)
            .send("GET", "/v1/models", headers: ["Authorization": authorization])
        #expect(answer.status == 401)
    }

    @Test func anonymousReadsMayBeAllowedBesideAKey() async throws {
        let bench = try Bench(Fleet.usual, adminKey: Self.key, anonymousScopes: AccessPolicy.reads)
        #expect(try await bench.send("GET", "/v1/models").status == 200)
        #expect(try await bench.send("GET", "/v1/models", headers: ["Authorization": "Bearer any"]).status == 200)
        #expect(try await bench.send("DELETE", "/v0/endpoints/alpha").status == 401)
        #expect(try await bench.send("POST", "/v0/endpoints", Self.draft).status == 401)
    }

    @Test func openGatewayIgnoresKeys() async throws {
        let bench = try Bench(Fleet.usual)
        #expect(try await bench.send("GET", "/v1/models", headers: ["Authorization": "Bearer sk-any"]).status == 200)
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:8400", "127.8.9.10:1", "localhost", "LOCALHOST:8400", "[::1]", "[::1]:8400",
    ])
    func openGatewayTakesWritesAtLoopback(host: String) async throws {
        #expect(try await Bench().send("POST", "/v0/endpoints", Self.draft, host: host).status == 201)
    }

    @Test(arguments: [
        "example.org", "localhost.example.org", "127.0.0.1.example.org", "127.0.0.1@example.org", "10.0.0.1:8400",
        "[::2]", "[::1", "127.0.0", "127.0.0.256", "0.0.0.0", "", "localhost:x",
    ])
    func openGatewayRefusesWritesAtOtherHosts(host: String) async throws {
        let bench = try Bench(Fleet.usual)
        let calls = [
            ("POST", "/v0/endpoints", Self.draft), ("PATCH", "/v0/endpoints/alpha", "{}"),
            ("DELETE", "/v0/endpoints/alpha", nil), ("POST", "/v0/endpoints/alpha/poll", nil),
            ("POST", "/v0/models/register", #"{"repo":"a/b"}"#), ("DELETE", "/v0/models/a/b", nil),
            ("POST", "/v0/models/a/b/refresh", nil), ("POST", "/v0/models/a/b/verify", nil),
            ("POST", "/v0/keys", Keys.draft), ("DELETE", "/v0/keys/a", nil),
        ]
        for (method, path, body) in calls {
            let answer = try await bench.send(method, path, body, host: host)
            #expect(answer.status == 403, "\(method) \(path)")
            #expect(try answer.errorCode() == "loopback_host_required")
        }
        #expect(bench.registrar.commands.isEmpty)
        #expect(try await bench.send("GET", "/v1/models", host: host).status == 200)
    }

    @Test(arguments: ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json"])
    func openGatewayRefusesWritesOfOtherTypes(type: String) async throws {
        let bench = try Bench(Fleet.usual)
        for (method, path) in [
            ("POST", "/v0/endpoints"), ("PATCH", "/v0/endpoints/alpha"), ("POST", "/v0/endpoints/alpha/poll"),
        ] {
            let answer = try await bench.send(method, path, "{}", headers: ["Content-Type": type])
            #expect(answer.status == 403, "\(method) \(path)")
            #expect(try answer.errorCode() == "content_type_required")
        }
    }

    @Test func jsonMayHaveParameters() async throws {
        let answer = try await Bench().send(
            "POST", "/v0/endpoints", Self.draft, headers: ["Content-Type": "Application/JSON ; charset=utf-8"])
        #expect(answer.status == 201)
    }

    @Test func openGatewayRefusesOtherSitesPages() async throws {
        let bench = try Bench(Fleet.usual)
        for origin in ["https://example.org", "null", "http://localhost.example.org", "file://"] {
            let answer = try await bench.send("DELETE", "/v0/endpoints/alpha", headers: ["Origin": origin])
            #expect(answer.status == 403, "\(origin)")
            #expect(try answer.errorCode() == "foreign_origin")
        }
        #expect(
            try await bench.send("DELETE", "/v0/endpoints/alpha", headers: ["Origin": "http://localhost:8400"]).status
                == 204)
    }

    @Test func otherTypesAre415WhereAKeyIsSet() async throws {
        let answer = try await Bench(adminKey: Self.key).send(
            "POST", "/v0/endpoints", Self.draft, headers: ["X-API-Key": Self.key, "Content-Type": "text/plain"])
        #expect(answer.status == 415)
        #expect(try answer.errorCode() == "unsupported_media_type")
    }
}
