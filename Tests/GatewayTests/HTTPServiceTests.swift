import Catalog
import Hummingbird
import HummingbirdTesting
import Launch
import Logging
import Testing

@testable import Gateway

/// Over a real socket.
@Suite struct HTTPServiceTests {
    @Test(.timeLimit(.minutes(1))) func answersOverHTTP() async throws {
        let bench = try Bench(Fleet.usual)
        let application = Application(
            responder: bench.responder,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: bench.responder.logger)
        try await application.test(.live) { client in
            let get = try await client.execute(uri: "/v1/models", method: .get)
            #expect(Array(buffer: get.body) == bench.catalog.modelList.bytes)
            let head = try await client.execute(uri: "/v1/models", method: .head)
            #expect(head.headers[.contentLength] == "\(get.body.readableBytes)" && head.body.readableBytes == 0)
            let encoded = try await client.execute(uri: "/v1/models/org%2Ffamily/model", method: .get)
            #expect(encoded.status == .ok)
            let large = ByteBuffer(repeating: 32, count: 1_048_577)
            let refused = try await client.execute(
                uri: "/v0/endpoints/alpha", method: .patch, headers: [.contentType: "application/json"], body: large)
            #expect(refused.status == .contentTooLarge || refused.status == .forbidden)
            #expect(try await client.execute(uri: "/nowhere", method: .post).status == .notFound)
            #expect(try await client.execute(uri: "/v1/models", method: .get).status == .ok)
        }
    }

    /// A service group logs its services as they describe themselves, at debug.
    @Test func itsDescriptionHoldsNoKey() throws {
        let bench = try Bench(adminKey: Keys.admin)
        let service = HTTPService(
            responder: bench.responder, host: "::1", port: 1, drainLimit: .zero, stop: StopRequest(),
            logger: bench.responder.logger)
        #expect("\(service)" == "HTTPService(::1:1)")
        for text in ["\(AccessPolicy(adminKey: Keys.admin))", "\(bench.responder)", "\(bench.responder.access)"] {
            #expect(!text.contains(Keys.admin), "\(text)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func aTakenPortIsOneClearLine() async throws {
        let bench = try Bench()
        let application = Application(
            responder: bench.responder,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            logger: bench.responder.logger)
        try await application.test(.live) { client in
            let port = try #require(client.port)
            let second = HTTPService(
                responder: bench.responder, host: "127.0.0.1", port: port, drainLimit: .zero, stop: StopRequest(),
                logger: bench.responder.logger)
            let exit = try await #require(throws: ProcessExit.self) { try await second.run() }
            #expect(exit.code == 1 && exit.message.contains("127.0.0.1:\(port)") && !exit.message.contains("\n"))
        }
    }
}
