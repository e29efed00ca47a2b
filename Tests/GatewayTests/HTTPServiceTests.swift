import Catalog
import Curl
import Foundation
import Launch
import Logging
import Testing

@testable import Gateway

/// Over a real socket.
@Suite struct HTTPServiceTests {
    @Test(.timeLimit(.minutes(1))) func answersOverHTTP() async throws {
        let bench = try Bench(Fleet.usual)
        try await bench.serve { gateway in
            func send(_ method: String, _ path: String, _ body: [UInt8] = []) async throws -> Curl.HTTPResponse {
                var request = Curl.HTTPRequest(url: "http://127.0.0.1:\(gateway.port)\(path)")
                request.method = method
                if !body.isEmpty {
                    request.headers = [("Content-Type", "application/json")]
                    request.body = .bytes(body)
                }
                return try await gateway.client.execute(request)
            }
            let get = try await send("GET", "/v1/models")
            #expect(get.body == bench.catalog.view.list.bytes)
            let head = try await send("HEAD", "/v1/models")
            #expect(head.header("content-length") == "\(get.body.count)" && head.body.isEmpty)
            let encoded = try await send("GET", "/v1/models/org%2Ffamily/model")
            #expect(encoded.status == 200)
            let refused = try await send("PATCH", "/v0/endpoints/alpha", [UInt8](repeating: 32, count: 1_048_577))
            #expect(refused.status == 413 || refused.status == 403)
            #expect(try await send("POST", "/nowhere").status == 404)
            #expect(try await send("GET", "/v1/models").status == 200)
        }
    }

    /// A service group logs its services as they describe themselves, at debug.
    @Test func itsDescriptionHoldsNoKey() async throws {
        let bench = try Bench(adminKey: Keys.admin)
        let server = try bench.server()
        let service = HTTPService(
            server: server, host: "::1", port: 1, drainLimit: .zero, stop: StopRequest(),
            logger: bench.responder.logger)
        #expect("\(service)" == "HTTPService(::1:1)")
        for text in ["\(AccessPolicy(adminKey: Keys.admin))", "\(bench.responder)"] {
            #expect(!text.contains(Keys.admin), "\(text)")
        }
        try await server.shutdown()
    }

    @Test(.timeLimit(.minutes(1))) func aTakenPortIsOneClearLine() async throws {
        let bench = try Bench()
        try await bench.serve { gateway in
            let second = HTTPService(
                server: try bench.server(port: gateway.port), host: "127.0.0.1", port: gateway.port,
                drainLimit: .zero, stop: StopRequest(), logger: bench.responder.logger)
            let exit = try await #require(throws: ProcessExit.self) { try await second.run() }
            #expect(
                exit.code == 1 && exit.message.contains("127.0.0.1:\(gateway.port)") && !exit.message.contains("\n"))
        }
    }
}
