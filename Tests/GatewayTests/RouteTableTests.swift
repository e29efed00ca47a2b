import Foundation
import Testing

@testable import Gateway

/// Every route against what every route must answer alike.
@Suite struct RouteTableTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let path: String
        var body: String?
        let status: Int
        var code: String?
        var param: String?
        var testDescription: String { "\(method) \(path) \(body?.prefix(60) ?? "") → \(status)" }
    }

    static let cases: [Case] =
        [
            Case(method: "GET", path: "/v1/models", status: 200),
            Case(method: "GET", path: "/v1/models/", status: 200),
            Case(method: "GET", path: "/v0/endpoints", status: 200),
            Case(method: "GET", path: "/v0/endpoints/alpha", status: 200),
            Case(method: "GET", path: "/healthz", status: 200),
            Case(method: "GET", path: "/readyz", status: 200),
            Case(method: "GET", path: "/v0/models", status: 200),
            Case(method: "GET", path: "/v0/models/", status: 200),
            Case(method: "GET", path: "/v0/models/hub", status: 200),
            Case(method: "GET", path: "/v0/keys", status: 200),
            Case(method: "GET", path: "/v0/keys/", status: 200),
            Case(method: "GET", path: "/healthz/", status: 200),
            Case(method: "GET", path: "/v0/models/hub/", status: 200),
            Case(method: "GET", path: "/v0/endpoints/alpha/", status: 200),
            Case(method: "GET", path: "/%76%30/endpoints", status: 200),
            Case(method: "GET", path: "/%76%30/endpoints/%61lpha/", status: 200),
            Case(method: "GET", path: "/v0/keys/%zz", status: 400, code: "invalid_path"),
            Case(method: "GET", path: "/nowhere/%ff", status: 400, code: "invalid_path"),
            // unknown ids
            Case(method: "GET", path: "/v1/models/none", status: 404, code: "model_not_found"),
            Case(method: "GET", path: "/v0/endpoints/none", status: 404, code: "endpoint_not_found"),
            Case(method: "PATCH", path: "/v0/endpoints/none", body: "{}", status: 404, code: "endpoint_not_found"),
            Case(method: "DELETE", path: "/v0/endpoints/none", status: 404, code: "endpoint_not_found"),
            Case(method: "POST", path: "/v0/endpoints/none/poll", status: 404, code: "endpoint_not_found"),
            Case(method: "GET", path: "/v0/operations/none", status: 404, code: "operation_not_found"),
            Case(method: "DELETE", path: "/v0/keys/none", status: 404, code: "key_not_found"),
        ] + wrongKeys + unknownRegistrations + unknownRoutes + wrongBodies + wrongRegistrations

    static let unknownRegistrations = [
        ("GET", "org/none"), ("HEAD", "org/none"), ("DELETE", "org%2Fnone"), ("POST", "org/none/refresh"),
        ("POST", "org/none/verify"), ("GET", "registry/org/none/manifest.json"), ("GET", "hub/x"),
        ("GET", "register/x"), ("GET", "registry/x"), ("GET", "org/refresh"), ("GET", "org/%00"),
    ].map { method, path in
        Case(
            method: method, path: "/v0/models/" + path, status: 404,
            code: method == "HEAD" ? nil : "model_not_registered")
    }

    static let unknownRoutes = [
        "/", "", "/v1", "/v1/modelsx", "/v0/models/pull", "/v0/models/available", "/v0/models/discover-gguf",
        "/v0/endpoints/a/b", "/v0/endpoints/a/poll//", "/v0/endpoints//poll", "/v0/operations/", "/metrics2",
        "/v1/chat/completions//", "/v1/audio/", "/v1/audio/../x", "/v1/images/a%2e%2e/b", "/HEALTHZ", "/healthz//",
        "//v1/models", "//", "v1/models", "/v1/../v1/models", "/v0/operations/a/b", "/v1/models//",
        "/v0/models/single", "/v0/models//x", "/v0/models/x/",
        "/v0/keys/a/b", "/v0/key",
        "/v0/models/org/name//", "/v0/models/org/name/pull", "/v0/models/a/b/c/d", "/v0/models/hub//",
        "/v0/models/register//", "/v0/models/registry/a/manifest.json", "/v0/models/registry/a/b/manifest",
        "/v0/models/a/b/c/manifest.json",
        "/v0/models/Hub", "/v0/models/a/b/Refresh", "/v0/models/a/b/c/refresh",
    ].flatMap { path in
        ["GET", "POST", "BREW"].map { Case(method: $0, path: path, status: 404, code: "route_not_found") }
    }

    static let wrongKeys: [Case] =
        [
            ("{", "invalid_json", nil), ("[]", "invalid_body", nil), ("{}", "missing_field", "name"),
            (#"{"name":"a"}"#, "missing_field", "scopes"), (#"{"name":1,"scopes":[]}"#, "invalid_type", "name"),
            (#"{"name":"a","scopes":"models"}"#, "invalid_type", "scopes"),
            (#"{"name":"a","scopes":[1]}"#, "invalid_type", "scopes"),
            (#"{"name":"a","scopes":[]}"#, "invalid_scopes", "scopes"),
            (#"{"name":"a","scopes":["root"]}"#, "invalid_scopes", "scopes"),
            (#"{"name":"a","scopes":["models","models"]}"#, "invalid_scopes", "scopes"),
            (#"{"name":"","scopes":["models"]}"#, "invalid_name", "name"),
            (#"{"name":"a\u0000","scopes":["models"]}"#, "invalid_name", "name"),
            (#"{"name":"a","scopes":["models"],"key":"rc_x"}"#, "unknown_field", "key"),
            (#"{"name":"a","scopes":["models"],"models":"a"}"#, "invalid_type", "models"),
            (#"{"name":"a","scopes":["models"],"models":[]}"#, "invalid_models", "models"),
            (#"{"name":"a","scopes":["admin"],"models":["a"]}"#, "invalid_models", "models"),
            (#"{"name":"a","scopes":["models"],"expires_at":1900000000}"#, "invalid_type", "expires_at"),
        ].map { Case(method: "POST", path: "/v0/keys", body: $0, status: 400, code: $1, param: $2) }
        + [
            "", "tomorrow", "2030-01-01", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z", "2027-01-15T08:00:00Z",
            "2027-01-15T08:00:00.999Z", "2001-01-01T00:00:00Z", "2027-01-15T09:00:00+01:00", "x2030-01-01T00:00:00Z",
            "2030-01-01T00:00:00Zx", "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00.1.2Z", "2030-01-01T00:00:000Z",
            "2030-00-01T00:00:00Z", "2030-02-31T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T00:60:00Z",
            "2030-01-01T00:00:60Z", "2030-01-01T00:00:00+0100", "2030-01-01T00:00:00Z+01:00", "2030-01-01t00:00:00z",
        ].map {
            Case(
                method: "POST", path: "/v0/keys", body: #"{"name":"a","scopes":["models"],"expires_at":"\#($0)"}"#,
                status: 400, code: "invalid_expires_at", param: "expires_at")
        }

    static let wrongBodies: [Case] = {
        let create: [(String, String, String?)] = [
            ("{", "invalid_json", nil), ("", "invalid_json", nil), ("{}x", "invalid_json", nil),
            ("[]", "invalid_body", nil), ("\"a\"", "invalid_body", nil), ("null", "invalid_body", nil),
            (#"{"base_url":"http://a"}"#, "missing_field", "name"), (#"{"name":"a"}"#, "missing_field", "base_url"),
            (#"{"name":1,"base_url":"http://a"}"#, "invalid_type", "name"),
            (#"{"name":null,"base_url":"http://a"}"#, "invalid_type", "name"),
            (#"{"name":"a","base_url":{}}"#, "invalid_type", "base_url"),
            (#"{"name":"a","base_url":"http://a","labels":["x"]}"#, "invalid_type", "labels"),
            (#"{"name":"a","base_url":"http://a","labels":{"x":1}}"#, "invalid_type", "labels"),
            (
                #"{"name":"a","base_url":"http://a","poll_interval_seconds":"5"}"#, "invalid_type",
                "poll_interval_seconds"
            ),
            (
                #"{"name":"a","base_url":"http://a","poll_interval_seconds":1.5}"#, "invalid_type",
                "poll_interval_seconds"
            ),
            (
                #"{"name":"a","base_url":"http://a","poll_interval_seconds":true}"#, "invalid_type",
                "poll_interval_seconds"
            ),
            (#"{"name":"a","base_url":"http://a","max_concurrency":1e99}"#, "invalid_type", "max_concurrency"),
            (#"{"name":"a","base_url":"http://a","kind":5}"#, "invalid_type", "kind"),
            (#"{"name":"a","base_url":"http://a","api_key":5}"#, "invalid_type", "api_key"),
            (#"{"name":"a","base_url":"http://a","apiKey":"x"}"#, "unknown_field", "apiKey"),
            (#"{"name":"a","base_url":"http://a","draining":true}"#, "unknown_field", "draining"),
            (#"{"name":"a b","base_url":"http://a"}"#, "invalid_name", "name"),
            (#"{"name":"a","base_url":"ftp://a"}"#, "invalid_base_url", "base_url"),
            (
                #"{"name":"a","base_url":"http://a","poll_interval_seconds":0}"#, "invalid_poll_interval",
                "poll_interval_seconds"
            ),
            (#"{"name":"a","base_url":"http://a","kind":"tgi"}"#, "unknown_kind", "kind"),
            (#"{"name":"a","base_url":"http://a","max_concurrency":0}"#, "invalid_max_concurrency", "max_concurrency"),
            (#"{"name":"a","base_url":"http://a","api_key":"a\r\nHost: b"}"#, "invalid_endpoint_key", "api_key"),
            (#"{"name":"a","base_url":"http://a","api_key":""}"#, "invalid_endpoint_key", "api_key"),
        ]
        let change: [(String, String, String?)] = [
            ("{", "invalid_json", nil), ("[]", "invalid_body", nil),
            (#"{"name":null}"#, "invalid_type", "name"), (#"{"base_url":null}"#, "invalid_type", "base_url"),
            (#"{"draining":"yes"}"#, "invalid_type", "draining"), (#"{"draining":null}"#, "invalid_type", "draining"),
            (#"{"draining":1}"#, "invalid_type", "draining"), (#"{"id":"x"}"#, "unknown_field", "id"),
            (#"{"name":"a b"}"#, "invalid_name", "name"),
            (#"{"poll_interval_seconds":3601}"#, "invalid_poll_interval", "poll_interval_seconds"),
        ]
        return create.map { Case(method: "POST", path: "/v0/endpoints", body: $0, status: 400, code: $1, param: $2) }
            + change.map {
                Case(method: "PATCH", path: "/v0/endpoints/alpha", body: $0, status: 400, code: $1, param: $2)
            }
            + [
                Case(method: "POST", path: "/v0/endpoints/alpha/poll", body: "{", status: 400, code: "invalid_json"),
                Case(
                    method: "POST", path: "/v0/endpoints/alpha/poll", body: #"{"a":1}"#, status: 400,
                    code: "unknown_field", param: "a"),
            ]
    }()

    static let wrongRegistrations: [Case] = {
        func long(_ field: String, _ count: Int) -> String {
            #"{"repo":"a/b",""# + field + #"":""# + String(repeating: "x", count: count) + #""}"#
        }
        let register: [(String, String, String?)] = [
            ("{", "invalid_json", nil), ("[]", "invalid_body", nil), ("{}", "repo_required", "repo"),
            (#"{"repo":null}"#, "repo_required", "repo"), (#"{"repo":""}"#, "repo_required", "repo"),
            (#"{"repo":"  "}"#, "repo_required", "repo"), (#"{"repo":5}"#, "invalid_type", "repo"),
            (#"{"repo":["a/b"]}"#, "invalid_type", "repo"), (#"{"model":"a/b"}"#, "unknown_field", "model"),
            (#"{"repo":"a/b\u0000"}"#, "invalid_repo", "repo"), (#"{"repo":"a\n/b"}"#, "invalid_repo", "repo"),
            (#"{"repo":""# + String(repeating: "x", count: 2049) + #""}"#, "invalid_repo", "repo"),
            (#"{"repo":"a/b","filename":1}"#, "invalid_type", "filename"),
            (#"{"repo":"a/b","filename":""}"#, "invalid_filename", "filename"),
            (#"{"repo":"a/b","filename":"a\tb"}"#, "invalid_filename", "filename"),
            (long("filename", 1025), "invalid_filename", "filename"),
            (long("quantization", 65), "invalid_quantization", "quantization"),
            (long("revision", 256), "invalid_revision", "revision"),
            (#"{"repo":"a/b","revision":"\u007f"}"#, "invalid_revision", "revision"),
            (long("display_name", 201), "invalid_display_name", "display_name"),
            (long("chat_template", 1_000_001), "invalid_chat_template", "chat_template"),
            (#"{"repo":"a/b","chat_template":"a\u0000b"}"#, "invalid_chat_template", "chat_template"),
            (#"{"repo":"a/b","chat_template":{}}"#, "invalid_type", "chat_template"),
        ]
        let others: [(String, String, String, String?)] = [
            ("refresh", #"{"apply":"yes"}"#, "invalid_type", "apply"),
            ("refresh", #"{"apply":null}"#, "invalid_type", "apply"), ("refresh", "[]", "invalid_body", nil),
            ("refresh", #"{"force":true}"#, "unknown_field", "force"), ("verify", "{", "invalid_json", nil),
            ("verify", #"{"apply":true}"#, "unknown_field", "apply"),
        ]
        return register.map {
            Case(method: "POST", path: "/v0/models/register", body: $0, status: 400, code: $1, param: $2)
        }
            + others.map {
                Case(method: "POST", path: "/v0/models/org/none/\($0)", body: $1, status: 400, code: $2, param: $3)
            }
    }()

    @Test(arguments: cases) func answers(_ expected: Case) async throws {
        let bench = try Bench(Fleet.usual)
        let answer = try await bench.send(expected.method, expected.path, expected.body)
        #expect(answer.status == expected.status, "\(answer.text)")
        #expect(RequestIdentity.isSane(answer.header("X-Request-Id") ?? ""))
        if let code = expected.code {
            #expect(try answer.errorCode() == code, "\(answer.text)")
            #expect(try answer.errorParam() == expected.param)
        }
        #expect(bench.registrar.commands.isEmpty, "nothing was sent for it")
    }

    static let methods: [(String, String)] = [
        ("/v1/models", "GET, HEAD"), ("/v1/models/a/b", "GET, HEAD"), ("/v0/endpoints", "GET, HEAD, POST"),
        ("/v0/endpoints/alpha", "GET, HEAD, PATCH, DELETE"), ("/v0/endpoints/alpha/poll", "POST"),
        ("/v0/models", "GET, HEAD"), ("/v0/models/hub", "GET, HEAD"), ("/v0/models/register", "POST"),
        ("/v0/models/a/b", "GET, HEAD, DELETE"), ("/v0/models/a%2Fb", "GET, HEAD, DELETE"),
        ("/v0/models/a/b/refresh", "POST"), ("/v0/models/a/b/verify", "POST"),
        ("/v0/models/registry/a/b/manifest.json", "GET, HEAD"), ("/v0/models/registry/b", "GET, HEAD, DELETE"),
        ("/v0/keys", "GET, HEAD, POST"), ("/v0/keys/a", "DELETE"), ("/v0/operations/a", "GET, HEAD"),
        ("/healthz", "GET, HEAD"), ("/readyz", "GET, HEAD"),
        ("/v1/chat/completions", "POST"), ("/v1/audio/speech", "POST"), ("/v1/chat/completions/", "POST"),
        ("/v0/endpoints/a/poll/", "POST"), ("/v0/models/register/", "POST"), ("/v0/models/a/b/", "GET, HEAD, DELETE"),
        ("/v1/audio/%73peech", "POST"),
    ]

    @Test(arguments: methods.indices) func otherMethodsAre405(index: Int) async throws {
        let (path, allow) = Self.methods[index]
        let bench = try Bench(Fleet.usual, adminKey: "an-admin-key")
        let allowed = allow.components(separatedBy: ", ")
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
        where !allowed.contains(method) {
            let answer = try await bench.send(method, path)
            #expect(answer.status == 405, "\(method)")
            #expect(answer.header("Allow") == allow)
            if method != "HEAD" { #expect(try answer.errorCode() == "method_not_allowed") }
        }
    }

    @Test func bodiesOverTheLimitAre413() async throws {
        let bench = try Bench(Fleet.usual)
        let large = #"{"name":""# + String(repeating: "a", count: 1_048_576) + #""}"#
        for (method, path) in [
            ("POST", "/v0/endpoints"), ("PATCH", "/v0/endpoints/alpha"), ("POST", "/v0/endpoints/alpha/poll"),
            ("POST", "/v0/models/register"), ("POST", "/v0/models/a/b/refresh"), ("POST", "/v0/models/a/b/verify"),
            ("POST", "/v0/keys"),
        ] {
            let answer = try await bench.send(method, path, large)
            #expect(answer.status == 413, "\(method) \(path)")
            #expect(try answer.errorCode() == "body_too_large")
            let announced = try await bench.send(method, path, "{}", headers: ["Content-Length": "1048577"])
            #expect(announced.status == 413 && announced.closesConnection)
        }
    }

    @Test func theClientsOwnRequestIDIsKeptIfSane() async throws {
        let bench = try Bench()
        for id in ["a", "A-b_c.9", String(repeating: "x", count: 128)] {
            let answer = try await bench.send("GET", "/nowhere", headers: ["X-Request-Id": id])
            #expect(answer.header("X-Request-Id") == id)
        }
        for id in ["a b", "a\"b", "\u{e9}", String(repeating: "x", count: 129), "a/b"] {
            let answer = try await bench.send("GET", "/v1/models", headers: ["X-Request-Id": id])
            #expect(answer.header("X-Request-Id") != id)
            #expect(answer.header("X-Request-Id")?.count == 15)
        }
    }

    @Test func whatNobodyForesawIs500WithoutDetails() async throws {
        struct Surprise: Error { let secret = "internal detail" }
        let bench = try Bench()
        bench.registrar.change { $0.surprise = Surprise() }
        let answer = try await bench.send("POST", "/v0/endpoints", #"{"name":"a","base_url":"http://a"}"#)
        #expect(answer.status == 500)
        #expect(try answer.errorCode() == "internal_error")
        #expect(!answer.text.contains("internal detail"))
        #expect(bench.log.lines.contains { $0.contains("Request failed") && $0.contains("Surprise") })
    }
}
