import Catalog
import Curl
import Foundation
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// All that needs a gateway on a real port: one test after the other, since some measure times or memory.
@Suite(.serialized, .timeLimit(.minutes(1))) enum LiveInferenceTests {}

/// An endpoint in the catalog of a test.
struct ListedEndpoint {
    var name = "alpha"
    var port: Int
    var models = ["m"]
    var state = EndpointState.online
    var maximum: Int?
    var draining = false
    var sealed: String?

    static func id(_ number: Int) -> String {
        "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - String(number).count) + String(number)
    }

    func messages(_ number: Int) -> [CatalogMessage] {
        let record = EndpointRecord(
            id: Self.id(number), name: name, baseURL: "http://127.0.0.1:\(port)", maxConcurrency: maximum,
            draining: draining, sealedAPIKey: sealed, generation: Int64(number), revision: Int64(number),
            createdAt: 1_700_000_000)
        let online = Fleet.row(Self.id(number), generation: Int64(number), tick: 10, models: models)
        let row = Fleet.row(Self.id(number), generation: Int64(number), tick: 11, state: state)
        return [.registryChanged(RegistryChange(record)), online] + (state == .online ? [] : [row])
    }
}

/// A gateway that listens, and a client of it.
struct LiveGateway {
    let bench: Bench
    let port: Int
    let client: HTTPClient

    var dispatcher: Dispatcher { bench.responder.inference.dispatcher }

    func request(
        _ body: String = #"{"model":"m"}"#, path: String = "/v1/chat/completions", headers: [(String, String)] = []
    ) -> Curl.HTTPRequest {
        var request = Curl.HTTPRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = "POST"
        let type = headers.contains { $0.0.lowercased() == "content-type" }
        request.headers = (type ? [] : [("Content-Type", "application/json")]) + headers
        request.body = .bytes(Array(body.utf8))
        request.maximumBodyBytes = .max
        return request
    }

    func post(
        _ body: String = #"{"model":"m"}"#, path: String = "/v1/chat/completions", headers: [(String, String)] = []
    ) async throws -> Curl.HTTPResponse {
        try await client.execute(request(body, path: path, headers: headers))
    }

    /// A request on a connection of its own, written by hand.
    func open(
        _ body: String = #"{"model":"m","stream":true}"#, receiveBuffer: Int32? = nil
    ) async -> RawSocket {
        let port = port
        return await onThread {
            let socket = RawSocket.connect(port: port, receiveBuffer: receiveBuffer)
            socket.write(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return socket
        }
    }
}

extension Curl.HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    func errorCode() throws -> String {
        let whole = try #require(JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], "\(text)")
        let error = try #require(whole["error"] as? [String: Any], "\(text)")
        #expect(Set(error.keys) == ["message", "type", "param", "code"])
        return try #require(error["code"] as? String)
    }
}

/// The endpoints are numbered from 1.
func withGateway(
    _ endpoints: [ListedEndpoint], more: [CatalogMessage] = [], adminKey: String? = nil,
    limits: InferenceLimits = InferenceLimits(),
    _ body: @escaping @Sendable (LiveGateway) async throws -> Void
) async throws {
    let messages = endpoints.enumerated().flatMap { $1.messages($0 + 1) } + more
    let bench = try Bench(messages, adminKey: adminKey, inference: limits)
    let application = Application(
        responder: bench.responder, server: HTTPService.server(clientStall: limits.idle),
        configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
        logger: bench.responder.logger)
    try await application.test(.live) { server in
        let client = HTTPClient()
        let gateway = LiveGateway(bench: bench, port: try #require(server.port), client: client)
        do {
            try await body(gateway)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}

/// The usual limits but for one.
func limits<Value>(_ path: WritableKeyPath<InferenceLimits, Value>, _ value: Value) -> InferenceLimits {
    var limits = InferenceLimits()
    limits[keyPath: path] = value
    return limits
}

/// Waits for what nobody tells: other threads' doing. Fails after half a minute.
func eventually(
    _ what: String, _ location: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "never happened: \(what)", sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}
