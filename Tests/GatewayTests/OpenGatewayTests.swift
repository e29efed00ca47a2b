import Catalog
import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

/// What keeps other machines and web pages from using a gateway in somebody else's name.
@Suite struct OpenGatewayTests {
    static let draft = #"{"name":"new","base_url":"http://new:1"}"#
    static let form = ["Content-Type": "multipart/form-data; boundary=a"]

    /// Also if it says in its `Host` that it is this host.
    @Test func writesComeFromThisHost() async throws {
        let bench = try Bench(Fleet.usual)
        for (method, path) in [
            ("POST", "/v0/endpoints"), ("DELETE", "/v0/endpoints/alpha"), ("POST", "/v0/keys"),
            ("POST", "/v0/endpoints/alpha/poll"),
        ] {
            let answer = try await bench.send(method, path, Self.draft, host: "localhost", isFromLoopback: false)
            #expect(try answer.status == 403 && answer.errorCode() == "loopback_client_required", "\(method) \(path)")
        }
        #expect(bench.registrar.commands.isEmpty && bench.registrar.published.isEmpty)
        #expect(try await bench.send("GET", "/v0/endpoints", isFromLoopback: false).status == 200)
        #expect(try status(bench, isFromLoopback: false) == nil)
        let guarded = try Bench(adminKey: Keys.admin)
        let written = try await guarded.send(
            "POST", "/v0/endpoints", Self.draft, headers: ["X-API-Key": Keys.admin], host: "gw", isFromLoopback: false)
        #expect(written.status == 201)
    }

    @Test func answersAboutKeysSayThatTheyProtectNothing() async throws {
        let bench = try Bench()
        let made = try await bench.send("POST", "/v0/keys", Keys.draft, host: "localhost")
        #expect(try made.status == 201 && made.json()["enforced"] as? Bool == false)
        #expect(try await bench.send("GET", "/v0/keys", host: "localhost").json()["enforced"] as? Bool == false)
    }

    @Test func onLoopbackReadsNeedALoopbackHost() async throws {
        let bench = try Bench(Fleet.usual, listensOnLoopback: true)
        for path in ["/v0/endpoints", "/v0/endpoints/alpha", "/v1/models", "/v0/keys", "/v0/operations/a"] {
            for host in ["rebound.evil.example", "evil.example:8400", nil] {
                let answer = try await bench.send("GET", path, host: host)
                #expect(try answer.status == 403 && answer.errorCode() == "loopback_host_required", "\(path)")
            }
            #expect(try await bench.send("GET", path, host: "localhost:1").status != 403)
        }
        #expect(try await bench.send("GET", "/healthz", host: "evil.example").status == 200)
        let guarded = try Bench(Fleet.usual, adminKey: Keys.admin, listensOnLoopback: true)
        #expect(
            try await guarded.send("GET", "/v1/models", headers: ["api-key": Keys.admin], host: "gw").status == 200)
    }

    @Test(arguments: [("http://localhost", "evil.example"), ("http://evil.example", "localhost")])
    func theHostOfAnAbsoluteTargetCountsAsWell(_ target: String, _ host: String) async throws {
        let bench = try Bench(Fleet.usual)
        let answer = try await bench.send("DELETE", target + "/v0/endpoints/alpha", host: host)
        #expect(try answer.status == 403 && answer.errorCode() == "loopback_host_required")
        let twice = try await bench.send(
            "DELETE", "/v0/endpoints/alpha", headers: ["Host": "localhost\nevil.example"], host: nil)
        #expect(twice.status == 403)
        #expect(try await bench.send("GET", target + "/v1/models", host: host).status == 200)
    }

    /// A page may send a form to any address without asking first.
    @Test func anonymousInferenceIsNotForOtherSitesForms() async throws {
        let evil = Self.form.merging(["Origin": "https://evil.example"]) { $1 }
        for bench in [try Bench(), try Bench(adminKey: Keys.admin, anonymousScopes: [.inference])] {
            #expect(try status(bench, evil) == "foreign_origin")
            #expect(try status(bench, Self.form) == nil)
            #expect(try status(bench, Self.form.merging(["Origin": "http://localhost:3000"]) { $1 }) == nil)
        }
        let guarded = try Bench(Keys.usual, adminKey: Keys.admin, anonymousScopes: [.inference])
        #expect(try status(guarded, evil.merging(Keys.bearer("only-inference")) { $1 }) == nil)
        #expect(try status(guarded, evil.merging(["Authorization": "Bearer wrong"]) { $1 }) == "foreign_origin")
        for cors in ["*", "https://evil.example"] {
            #expect(try status(Bench(cors: cors), evil) == nil)
            // But no page changes an open gateway.
            let answer = try await Bench(cors: cors).send(
                "POST", "/v0/endpoints", Self.draft, headers: ["Origin": "https://evil.example"])
            #expect(try answer.status == 403 && answer.errorCode() == "foreign_origin")
        }
    }

    /// The code of what inference is refused with; nil if it is let through.
    private func status(_ bench: Bench, _ headers: [String: String] = [:], isFromLoopback: Bool = true) throws
        -> String?
    {
        let request = try bench.request("POST", "/v1/images/edits", headers: headers, isFromLoopback: isFromLoopback)
        guard case .answer(let response) = bench.responder.begin(request) else { return nil }
        return try Answer(
            status: response.status.code, headers: response.headers, bytes: Array(response.body.readableBytesView)
        ).errorCode()
    }
}
