import Catalog
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A gateway without a network, and what a test says to it.
struct Bench {
    /// Milliseconds since 1970.
    static let now: Int64 = 1_800_000_000_000
    static let secretKey = Data(repeating: 7, count: 32).base64EncodedString()

    let catalog: HeldCatalog
    let registrar: SmallRegistrar
    let responder: GatewayResponder
    let log: LogBox
    let drain = Drain()
    let keyRing: KeyRing?

    init(
        _ messages: [CatalogMessage] = [], adminKey: String? = nil, anonymousScopes: Set<Scope> = [],
        keysMaxAge: Duration? = nil, secretKey: String? = Bench.secretKey, listensOnLoopback: Bool = false,
        cors: String? = nil, logLevel: Logger.Level = .trace, time: RegistrarTime? = nil,
        limits: (inout GatewayLimits) -> Void = { _ in }
    ) throws {
        var bounds = GatewayLimits()
        bounds.outcome = .milliseconds(300)
        bounds.poll = .milliseconds(300)
        bounds.repeated = .milliseconds(100)
        bounds.unknownName = .milliseconds(100)
        bounds.registrarClock = .zero
        limits(&bounds)
        catalog = HeldCatalog(messages)
        registrar = SmallRegistrar(catalog)
        log = LogBox()
        keyRing = try secretKey.map { try KeyRing($0) }
        responder = GatewayResponder(
            catalog: catalog, sender: registrar,
            access: AccessPolicy(
                adminKey: adminKey, anonymousScopes: anonymousScopes, keysMaxAge: keysMaxAge,
                listensOnLoopback: listensOnLoopback, cors: try cors.map { try #require(CORSPolicy($0)) }),
            keyRing: keyRing, limits: bounds, isStopping: { [drain] in drain.isStopping },
            now: { Bench.now }, time: time,
            logger: log.logger(logLevel))
    }

    /// JSON is the type of a body unless `headers` say otherwise; POST and PATCH always have one. Headers of one name are
    /// given apart, separated by a line break.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:],
        host: String? = "127.0.0.1:8400", isFromLoopback: Bool = true
    ) async throws -> Answer {
        let request = try request(
            method, path, body, headers: headers, host: host, isFromLoopback: isFromLoopback)
        let response = await responder.response(to: request)
        return Answer(
            status: response.status.code, headers: response.headers, bytes: Array(response.body.readableBytesView),
            closesConnection: response.closesConnection)
    }

    func request(
        _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:],
        host: String? = "127.0.0.1:8400", isFromLoopback: Bool = true
    ) throws -> Request {
        var fields = HTTPHeaders()
        if let host { fields.add(name: "Host", value: host) }
        if body != nil || method == "POST" || method == "PATCH" {
            fields.add(name: "content-type", value: "application/json")
        }
        for (name, value) in headers {
            fields.remove(name: name)
            for line in value.split(separator: "\n") { fields.add(name: name, value: String(line)) }
        }
        return Request(
            method: try #require(HTTPRequest.Method(method)), target: path, headers: RequestHeaders(fields),
            body: ByteBuffer(string: body ?? ""), isFromLoopback: isFromLoopback)
    }
}

struct Answer {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]
    var closesConnection = false

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    func json() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], "not an object: \(text)")
    }

    /// The code, once the body is shown to have exactly the shape of errors.
    /// `isTyped`: for Anthropic's clients as well.
    func errorCode(isTyped: Bool = false, _ location: SourceLocation = #_sourceLocation) throws -> String {
        let whole = try json()
        #expect(Set(whole.keys) == (isTyped ? ["error", "type"] : ["error"]), sourceLocation: location)
        #expect(whole["type"] as? String == (isTyped ? "error" : nil), sourceLocation: location)
        #expect(headers[.contentType] == "application/json", sourceLocation: location)
        let error = try #require(whole["error"] as? [String: Any], sourceLocation: location)
        #expect(Set(error.keys) == ["message", "type", "param", "code"], sourceLocation: location)
        #expect(error["param"] is String || error["param"] is NSNull, sourceLocation: location)
        let message = try #require(error["message"] as? String, sourceLocation: location)
        #expect(!message.isEmpty, sourceLocation: location)
        let types = [
            "invalid_request_error", "authentication_error", "permission_error", "not_found_error", "conflict_error",
            "rate_limit_error", "upstream_error", "service_unavailable",
        ]
        #expect(types.contains(error["type"] as? String ?? ""), sourceLocation: location)
        return try #require(error["code"] as? String, sourceLocation: location)
    }

    func errorParam() throws -> String? { (try json()["error"] as? [String: Any])?["param"] as? String }
}

/// All that was logged, as text.
final class LogBox: Sendable {
    private let held = Mutex<[String]>([])
    var lines: [String] { held.withLock { $0 } }

    func logger(_ level: Logger.Level = .trace) -> Logger {
        Logger(label: "gateway") { _ in
            EventLogHandler(logLevel: level) { event, metadata in
                self.held.withLock { $0.append("\(event.level) \(event.message) \(metadata)") }
            }
        }
    }
}

/// A fleet for the reads.
enum Fleet {
    static let firstID = "11111111-1111-4111-8111-111111111111"
    static let secondID = "22222222-2222-4222-8222-222222222222"

    static func record(
        _ id: String, _ name: String, revision: Int64, kind: EndpointKind = .auto, labels: [String: String] = [:],
        sealed: String? = nil
    ) -> CatalogMessage {
        let record = EndpointRecord(
            id: id, name: name, baseURL: "http://\(name):8000", kind: kind, labels: labels, sealedAPIKey: sealed,
            generation: revision, revision: revision, createdAt: 1_700_000_000)
        return .registryChanged(RegistryChange(record))
    }

    static func row(
        _ id: String, generation: Int64, tick: Int64, state: EndpointState = .online, models: [String]? = nil,
        kind: EndpointKind? = .vllm, error: PollFailure? = nil, memory: Int64? = nil
    ) -> CatalogMessage {
        let entries = models?.map { ModelEntry(id: ModelID($0), contextLength: 4096, firstSeen: 1_700_000_001) }
        let row = SnapshotRow(
            endpoint: id, generation: generation, tick: tick, poller: "p1", state: state,
            failures: error == nil ? 0 : 1, kind: kind, latencyMilliseconds: 12, error: error,
            observedAt: 1_700_000_002_345, lastOKAt: 1_700_000_002_345, gpuMemoryBytes: memory,
            digest: models.map { $0.joined() }, models: entries)
        return .snapshotBatch(SnapshotBatch(poller: "p1", rows: [row]))
    }

    /// `alpha` online with two models, one of them with slashes and one with what JSON must escape; `beta` pending.
    static let usual: [CatalogMessage] = [
        record(firstID, "alpha", revision: 1, labels: ["zone": "a", "gpu": "h100"], sealed: "v1.0.sealed-value"),
        record(secondID, "beta", revision: 2, kind: .ollama, labels: ["zone": "b"]),
        row(firstID, generation: 1, tick: 10, models: ["org/family/model", "quote\"back\\slash\nline/\u{1F600}"]),
    ]
}
