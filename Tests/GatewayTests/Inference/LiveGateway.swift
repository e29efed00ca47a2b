import Catalog
import Curl
import Foundation
import Logging
import NIOCore
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
    var kind = EndpointKind.vllm

    static func id(_ number: Int) -> String {
        "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - String(number).count) + String(number)
    }

    func messages(_ number: Int) -> [CatalogMessage] {
        let record = EndpointRecord(
            id: Self.id(number), name: name, baseURL: "http://127.0.0.1:\(port)", maxConcurrency: maximum,
            draining: draining, sealedAPIKey: sealed, generation: Int64(number), revision: Int64(number),
            createdAt: 1_700_000_000)
        let online = Fleet.row(Self.id(number), generation: Int64(number), tick: 10, models: models, kind: kind)
        let row = Fleet.row(Self.id(number), generation: Int64(number), tick: 11, state: state, kind: kind)
        return [.registryChanged(RegistryChange(record)), online] + (state == .online ? [] : [row])
    }
}

/// A gateway that listens, and a client of it.
struct LiveGateway {
    let bench: Bench
    let server: GatewayServer
    let port: Int
    let client: HTTPClient

    var dispatcher: Dispatcher { server.core.inference.dispatcher }

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
    limits: InferenceLimits = InferenceLimits(), timeouts: ClientTimeouts? = nil,
    _ body: @escaping @Sendable (LiveGateway) async throws -> Void
) async throws {
    let messages = endpoints.enumerated().flatMap { $1.messages($0 + 1) } + more
    let bench = try Bench(messages, adminKey: adminKey)
    try await bench.serve(limits: limits, timeouts: timeouts, body)
}

extension Bench {
    /// Listens while `body` runs.
    func serve(
        limits: InferenceLimits = InferenceLimits(), timeouts: ClientTimeouts? = nil, accessLogger: Logger? = nil,
        configure: (inout GatewayServer.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (LiveGateway) async throws -> Void
    ) async throws {
        let server = try server(limits: limits, timeouts: timeouts, accessLogger: accessLogger, configure: configure)
        let port = try #require(try await server.listen()?.port)
        let client = HTTPClient()
        let gateway = LiveGateway(bench: self, server: server, port: port, client: client)
        let result = await Result { try await body(gateway) }
        await client.shutdown()
        await server.quiesce()
        await server.abandon()
        await server.core.connections.none()
        try await server.shutdown()
        try result.get()
    }

    /// A server that does not listen yet.
    func server(
        limits: InferenceLimits = InferenceLimits(), timeouts: ClientTimeouts? = nil, host: String = "127.0.0.1",
        port: Int = 0, accessLogger: Logger? = nil, configure: (inout GatewayServer.Configuration) -> Void = { _ in }
    ) throws -> GatewayServer {
        let core = core(limits: limits, timeouts: timeouts, accessLogger: accessLogger)
        var configuration = GatewayServer.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.threads = 2
        configure(&configuration)
        return try GatewayServer(core: core, keyRing: keyRing, configuration: configuration)
    }

    func core(
        limits: InferenceLimits = InferenceLimits(), timeouts: ClientTimeouts? = nil, accessLogger: Logger? = nil
    ) -> GatewayServerCore {
        var usual = ClientTimeouts()
        usual.stalledReader = TimeAmount(limits.idleTimeout)
        let inference = InferenceCore(
            catalog: catalog, dispatcher: Dispatcher(limits: limits),
            suspects: SuspectReporter(sender: registrar, confirm: .seconds(1), logger: responder.logger),
            limits: limits, lists: responder.lists, viaName: "rollcall-test")
        return GatewayServerCore(
            responder: responder, inference: inference, drain: drain, timeouts: timeouts ?? usual,
            accessLog: accessLogger.map { AccessLog(logger: $0, responder: responder) })
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
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
