import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

@Suite struct CORSTests {
    static let site = "https://chat.acme.example"
    static let preflight = [
        "Origin": site, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    ]

    @Test(arguments: ["*", "https://other.example, \(site)"])
    func preflightsAreAnsweredBeforeKeysAreAskedFor(_ origins: String) async throws {
        let bench = try Bench(Fleet.usual, adminKey: Keys.admin, cors: origins)
        for (path, allow) in [("/v1/chat/completions", "POST"), ("/v0/endpoints/a/", "GET, HEAD, PATCH, DELETE")] {
            let answer = try await bench.send("OPTIONS", path, headers: Self.preflight)
            #expect(answer.status == 204 && answer.bytes.isEmpty && answer.header("Content-Length") == nil)
            #expect(answer.header("Access-Control-Allow-Origin") == (origins == "*" ? "*" : Self.site))
            #expect(answer.header("Access-Control-Allow-Methods") == allow)
            #expect(answer.header("Access-Control-Allow-Headers") == "authorization,content-type")
            #expect(answer.header("Access-Control-Max-Age") == "600")
            #expect(answer.header("Access-Control-Allow-Credentials") == nil)
            #expect(answer.header("Vary")?.contains("Origin") == true && answer.header("X-Request-Id") != nil)
        }
    }

    @Test func everyAnswerIsMarked() async throws {
        let bench = try Bench(Fleet.usual, adminKey: Keys.admin, cors: Self.site)
        for (method, path, status) in [
            ("GET", "/v1/models", 401), ("GET", "/nowhere", 404), ("PUT", "/v1/models", 405), ("GET", "/healthz", 200),
            ("GET", "/v0/models/%zz", 400), ("OPTIONS", "/nowhere", 404), ("OPTIONS", "/v1/models", 405),
        ] {
            let answer = try await bench.send(method, path, headers: ["Origin": Self.site.uppercased()])
            #expect(answer.status == status)
            #expect(answer.header("Access-Control-Allow-Origin") == Self.site.uppercased(), "\(method) \(path)")
            #expect(answer.header("Access-Control-Expose-Headers")?.contains("X-Request-Id") == true)
        }
        let list = try await bench.send(
            "GET", "/v1/models", headers: ["Origin": Self.site, "X-API-Key": Keys.admin])
        #expect(list.status == 200 && list.header("Access-Control-Allow-Origin") == Self.site)
        #expect(list.header("Vary") == "anthropic-version, Authorization, X-API-Key, api-key, Origin")
        let request = try bench.request(
            "POST", "/v1/completions", headers: ["Origin": Self.site, "api-key": Keys.admin])
        guard case .inference(_, let call) = bench.responder.begin(request) else { throw Unexpected() }
        let lines = HeadWriter()
        bench.responder.writeFields(for: call, into: lines)
        let fields = String(buffer: lines.buffer(ByteBufferAllocator())).split(separator: "\r\n")
        #expect(fields.contains("Access-Control-Allow-Origin: \(Self.site)") && fields.contains("Vary: Origin"))
        #expect(fields.contains("X-Request-Id: \(call.requestID)"))
    }

    @Test func otherSitesGetNothing() async throws {
        for (cors, origin) in [(Self.site, "https://evil.example"), (Self.site, "null"), (nil, Self.site)] {
            let bench = try Bench(Fleet.usual, adminKey: Keys.admin, cors: cors)
            let headers = Self.preflight.merging(["Origin": origin, "X-API-Key": Keys.admin]) { $1 }
            for (method, status) in [("OPTIONS", cors == nil ? 405 : 204), ("GET", 200)] {
                let answer = try await bench.send(method, "/v1/models", headers: headers)
                #expect(answer.status == status)
                #expect(!answer.headers.contains { $0.name.canonicalName.hasPrefix("access-control") })
                #expect(answer.header("Vary")?.contains("Origin") == (cors != nil))
            }
        }
    }

    struct Unexpected: Error {}
}
