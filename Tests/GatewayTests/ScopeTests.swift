import Catalog
import Testing

@testable import Gateway

/// Every route against every kind of caller.
@Suite struct ScopeTests {
    /// What a route asks for; nil: nothing.
    static let routes: [(method: String, path: String, body: String?, scope: Scope?)] = [
        ("GET", "/v1/models", nil, .models), ("HEAD", "/v1/models", nil, .models),
        ("GET", "/v1/models/other", nil, .models), ("GET", "/v0/models", nil, .models),
        ("GET", "/v0/models/hub", nil, .models), ("GET", "/v0/models/org/model-gguf", nil, .models),
        ("GET", "/v0/models/registry/org/model-gguf/manifest.json", nil, .models),
        ("GET", "/v0/operations/none", nil, .models),
        ("GET", "/v0/endpoints", nil, .endpointsRead), ("GET", "/v0/endpoints/alpha", nil, .endpointsRead),
        ("POST", "/v0/endpoints", #"{"name":"new","base_url":"http://new:1"}"#, .admin),
        ("PATCH", "/v0/endpoints/alpha", #"{"draining":true}"#, .admin),
        ("POST", "/v0/endpoints/alpha/poll", nil, .admin), ("DELETE", "/v0/endpoints/beta", nil, .admin),
        ("POST", "/v0/models/register", #"{"repo":"a/b"}"#, .admin),
        ("POST", "/v0/models/org/model-gguf/refresh", nil, .admin),
        ("POST", "/v0/models/org/model-gguf/verify", nil, .admin),
        ("DELETE", "/v0/models/org/model-gguf", nil, .admin),
        ("GET", "/v0/keys", nil, .admin), ("POST", "/v0/keys", Keys.draft, .admin),
        ("DELETE", "/v0/keys/lasting", nil, .admin), ("GET", "/healthz", nil, nil), ("GET", "/readyz", nil, nil),
    ]

    /// Who asks: the headers, what is allowed, and the answer to all else.
    struct Asking: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var headers: [String: String] = [:]
        var allowed: Set<Scope> = []
        var status = 401
        var code = "invalid_api_key"
        /// Where it is not what everybody may do.
        var anonymous: Set<Scope> = []
    }

    static let callers: [Asking] =
        [
            Asking(testDescription: "nobody", code: "missing_api_key"),
            Asking(
                testDescription: "nobody, models are open", allowed: [.models], code: "missing_api_key",
                anonymous: [.models]),
            Asking(
                testDescription: "nobody, all that can be is open", allowed: Set(AccessPolicy.open),
                code: "missing_api_key", anonymous: Set(AccessPolicy.open)),
            Asking(
                testDescription: "admin", headers: ["X-API-Key": Keys.admin], allowed: Set(Scope.allCases)),
            Asking(testDescription: "a wrong key", headers: ["Authorization": "Bearer rc_wrong"]),
            Asking(
                testDescription: "a wrong key, reads are open", headers: ["Authorization": "Bearer rc_wrong"],
                allowed: AccessPolicy.reads, anonymous: AccessPolicy.reads),
            Asking(testDescription: "a key's digest", headers: ["X-API-Key": Keys.digest("rc_only-admin")]),
            Asking(testDescription: "a revoked key", headers: Keys.bearer("revoked")),
            Asking(testDescription: "an expired key", headers: Keys.bearer("expired"), code: "key_expired"),
            Asking(
                testDescription: "an expired key, models are open", headers: Keys.bearer("expired"), allowed: [.models],
                code: "key_expired", anonymous: [.models]),
            Asking(
                testDescription: "a key that is about to expire", headers: Keys.bearer("lasting"), allowed: [.models],
                status: 403, code: "insufficient_scope"),
            Asking(
                testDescription: "inference only, models are open", headers: Keys.bearer("only-inference"),
                allowed: [.models, .inference], status: 403, code: "insufficient_scope", anonymous: [.models]),
            Asking(
                testDescription: "two keys",
                headers: ["Authorization": "Bearer rc_only-admin", "X-API-Key": Keys.admin],
                status: 400, code: "conflicting_keys"),
            Asking(
                testDescription: "a key and a placeholder",
                headers: ["Authorization": "Bearer rc_only-models", "X-API-Key": "none"], allowed: [.models],
                status: 403, code: "insufficient_scope"),
            Asking(
                testDescription: "the admin scope",
                headers: ["Authorization": "Bearer rc_only-admin", "X-API-Key": "rc_only-admin"],
                allowed: Set(Scope.allCases)),
        ]
        + [Scope.models, .inference, .endpointsRead].map {
            Asking(
                testDescription: "only \($0.rawValue)", headers: ["X-API-Key": "rc_only-\($0.rawValue)"], allowed: [$0],
                status: 403, code: "insufficient_scope")
        }

    @Test(arguments: callers) func everyRouteIsForWhomItIsFor(_ asking: Asking) async throws {
        for route in Self.routes {
            let bench = try Bench(
                Registered.usual + Keys.usual, adminKey: Keys.admin, anonymousScopes: asking.anonymous)
            let answer = try await bench.send(route.method, route.path, route.body, headers: asking.headers)
            let place = "\(route.method) \(route.path): \(answer.status) \(answer.text)"
            if route.scope.map(asking.allowed.contains) ?? true {
                // What is not there (an operation) is not found: that is past the door.
                #expect((200..<300).contains(answer.status) || route.path.hasSuffix("/none"), "\(place)")
                #expect(answer.status != 401 && answer.status != 403, "\(place)")
                continue
            }
            #expect(answer.status == asking.status, "\(place)")
            #expect(bench.registrar.commands.isEmpty && bench.registrar.published.isEmpty, "\(place)")
            guard route.method != "HEAD" else { continue }
            #expect(try answer.errorCode() == asking.code, "\(place)")
            if asking.status == 401 { #expect(answer.header("WWW-Authenticate") == "Bearer") }
            if asking.status == 403, let scope = route.scope {
                #expect(answer.text.contains(#"\"\#(scope.rawValue)\""#), "\(place)")
                #expect(answer.header("WWW-Authenticate")?.contains(#"scope="\#(scope.rawValue)""#) == true)
            }
            if asking.status != 400 {
                #expect(bench.log.lines.count { $0.contains("Request refused") && $0.contains(asking.code) } == 1)
            }
        }
    }

    @Test func keysComeInHeadersOnly() async throws {
        let bench = try Bench(Keys.usual, adminKey: Keys.admin)
        for query in ["api_key=rc_only-models", "key=rc_only-models", "access_token=\(Keys.admin)"] {
            #expect(try await bench.send("GET", "/v1/models?\(query)").status == 401)
        }
        #expect(!bench.log.lines.contains { $0.contains("rc_only") || $0.contains(Keys.admin) })
    }

    @Test func aRevocationCountsOnceItIsApplied() async throws {
        let bench = try Bench(Keys.usual, adminKey: Keys.admin)
        let headers = Keys.bearer("only-models")
        #expect(try await bench.send("GET", "/v1/models", headers: headers).status == 200)
        bench.catalog.apply([Keys.revoked("only-models", revision: 60)])
        #expect(try await bench.send("GET", "/v1/models", headers: headers).errorCode() == "invalid_api_key")
    }

    @Test func anOldCatalogCannotVouchForKeys() async throws {
        let bench = try Bench(Keys.usual, adminKey: Keys.admin, keysMaxAge: .seconds(60))
        let headers = Keys.bearer("only-models")
        bench.catalog.setAge(.seconds(50))
        #expect(try await bench.send("GET", "/v1/models", headers: headers).status == 200)
        for age in [Duration.seconds(61), nil] {
            bench.catalog.setAge(age)
            for key in [headers, Keys.bearer("of-another-gateway"), Keys.bearer("revoked")] {
                let answer = try await bench.send("GET", "/v1/models", headers: key)
                #expect(answer.status == 503 && answer.header("Retry-After") == "5")
                #expect(try answer.errorCode() == "keys_unverifiable")
            }
            #expect(try await bench.send("GET", "/v1/models", headers: ["X-API-Key": Keys.admin]).status == 200)
            #expect(try await bench.send("GET", "/v1/models").status == 401)
        }
        let open = try Bench(
            Keys.usual, adminKey: Keys.admin, anonymousScopes: [.models], keysMaxAge: .seconds(60))
        open.catalog.setAge(nil)
        #expect(try await open.send("GET", "/v1/models", headers: Keys.bearer("whatever")).status == 200)
        #expect(try await open.send("GET", "/v1/models", headers: Keys.bearer("expired")).status == 200)
        #expect(try await open.send("GET", "/v1/models", headers: headers).status == 200, "no worse than none")
        #expect(try await open.send("GET", "/v0/keys", headers: headers).status == 503, "nobody may do that without")
        let lenient = try Bench(Keys.usual, adminKey: Keys.admin)
        lenient.catalog.setAge(.seconds(86_400))
        #expect(try await lenient.send("GET", "/v1/models", headers: headers).status == 200)
    }

    /// Half read, the log shows keys that its other half revokes, and lacks those that come later.
    @Test func noKeyCountsBeforeTheCatalogIsComplete() async throws {
        let bench = try Bench(Keys.usual, adminKey: Keys.admin)
        bench.catalog.setReadiness { $0.isReady = false }
        for key in ["only-admin", "still-to-come"] {
            let answer = try await bench.send("GET", "/v0/keys", headers: Keys.bearer(key))
            #expect(try answer.status == 503 && answer.errorCode() == "catalog_not_ready")
        }
    }

    @Test func theSameIdempotencyKeyOfAnotherKeyIsAnotherWrite() async throws {
        let bench = try Bench(
            [Keys.made("a", scopes: [.admin]), Keys.made("b", scopes: [.admin])], adminKey: Keys.admin)
        var ids: [String?] = []
        for (number, key) in ["rc_a", "rc_b", Keys.admin, "rc_a"].enumerated() {
            let answer = try await bench.send(
                "POST", "/v0/models/register", #"{"repo":"org/m\#(number % 3)"}"#,
                headers: ["X-API-Key": key, "Idempotency-Key": "once"])
            #expect(answer.status == 201)
            ids.append(bench.registrar.commands.last?.id)
        }
        #expect(Set(ids).count == 3 && ids[0] == ids[3])
        #expect(bench.registrar.commands.map(\.caller) == ["key:a", "key:b", "admin", "key:a"])
    }

    @Test func anOpenGatewayKnowsKeysAndIgnoresTheRest() async throws {
        let bench = try Bench(
            Registered.usual + Keys.usual + [Keys.made("some", scopes: [.endpointsRead], models: ["org/*"])])
        func ids(_ headers: [String: String]) async throws -> [String?]? {
            (try await bench.send("GET", "/v1/models", headers: headers).json()["data"] as? [[String: Any]])?
                .map { $0["id"] as? String }
        }
        #expect(try await ids(Keys.bearer("some")) == ["org/model-gguf:Q4_K_M"])
        for headers in [
            [:], Keys.bearer("unknown"), Keys.bearer("expired"), Keys.bearer("only-inference"),
            ["Authorization": "Bearer rc_other", "X-API-Key": "rc_another"],
        ] {
            #expect(try await ids(headers)?.count == 3, "\(headers)")
        }
        let withPlaceholder = ["Authorization": "Bearer rc_some", "X-API-Key": "rc_other"]
        #expect(try await ids(withPlaceholder)?.count == 1)
        #expect(try await bench.send("DELETE", "/v0/endpoints/beta", headers: Keys.bearer("some")).status == 204)
        #expect(bench.registrar.commands.last?.caller == "key:some")
        let elsewhere = try await bench.send(
            "DELETE", "/v0/endpoints/alpha", headers: Keys.bearer("only-admin"), host: "rollcall.example.org")
        #expect(elsewhere.status == 403)
    }
}
