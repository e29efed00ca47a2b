import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Synchronization
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

    init(
        _ messages: [CatalogMessage] = [], adminKey: String? = nil, anonymousScopes: Set<Scope> = [],
        keysMaxAge: Duration? = nil, secretKey: String? = Bench.secretKey,
        limits: (inout GatewayLimits) -> Void = { _ in }, inference inferenceLimits: InferenceLimits = InferenceLimits()
    ) throws {
        var bounds = GatewayLimits()
        bounds.outcome = .milliseconds(300)
        bounds.poll = .milliseconds(300)
        bounds.repeated = .milliseconds(100)
        limits(&bounds)
        catalog = HeldCatalog(messages)
        registrar = SmallRegistrar(catalog)
        log = LogBox()
        responder = GatewayResponder(
            catalog: catalog, sender: registrar,
            access: AccessPolicy(adminKey: adminKey, anonymousScopes: anonymousScopes, keysMaxAge: keysMaxAge),
            keyRing: try secretKey.map { try KeyRing($0) }, limits: bounds, inferenceLimits: inferenceLimits,
            now: { Bench.now },
            logger: Logger(label: "gateway", factory: { [log] _ in CapturingHandler(box: log) }))
    }

    /// JSON is the type of a body unless `headers` say otherwise; POST and PATCH always have one.
    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:],
        host: String = "127.0.0.1:8400"
    ) async throws -> Answer {
        var fields = HTTPFields()
        if body != nil || method == "POST" || method == "PATCH" { fields[.contentType] = "application/json" }
        for (name, value) in headers { fields[try #require(HTTPField.Name(name))] = value.isEmpty ? nil : value }
        let head = HTTPRequest(
            method: try #require(HTTPRequest.Method(method)), scheme: "http", authority: host, path: path,
            headerFields: fields)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let response = try await responder.response(to: request)
        let collector = BodyCollector()
        try await response.body.write(collector)
        return Answer(
            status: response.status.code, headers: response.headers, bytes: collector.bytes.withLock { $0 })
    }
}

struct Answer {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    var text: String { String(decoding: bytes, as: UTF8.self) }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    func json() throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], "not an object: \(text)")
    }

    /// The code, once the body is shown to have exactly the shape of errors.
    func errorCode(_ location: SourceLocation = #_sourceLocation) throws -> String {
        let whole = try json()
        #expect(Set(whole.keys) == ["error"], sourceLocation: location)
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

private struct BodyCollector: ResponseBodyWriter {
    final class Bytes: Sendable {
        private let value = Mutex<[UInt8]>([])
        func withLock<T: Sendable>(_ body: (inout [UInt8]) -> T) -> T { value.withLock { body(&$0) } }
    }
    let bytes = Bytes()
    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += Array(buffer: buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

/// All that was logged, as text.
final class LogBox: Sendable {
    private let held = Mutex<[String]>([])
    func add(_ line: String) { held.withLock { $0.append(line) } }
    var lines: [String] { held.withLock { $0 } }
}

struct CapturingHandler: LogHandler {
    let box: LogBox
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    init(box: LogBox) { self.box = box }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        box.add("\(event.level) \(event.message) \(all)")
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
        kind: EndpointKind? = .vllm, error: PollFailure? = nil
    ) -> CatalogMessage {
        let entries = models?.map { ModelEntry(id: ModelID($0), contextLength: 4096, firstSeen: 1_700_000_001) }
        let row = SnapshotRow(
            endpoint: id, generation: generation, tick: tick, poller: "p1", state: state,
            failures: error == nil ? 0 : 1, kind: kind, latencyMilliseconds: 12, error: error,
            observedAt: 1_700_000_002_345, lastOKAt: 1_700_000_002_345, digest: models.map { $0.joined() },
            models: entries)
        return .snapshotBatch(SnapshotBatch(poller: "p1", rows: [row]))
    }

    /// `alpha` online with two models, one of them with slashes and one with what JSON must escape; `beta` pending.
    static let usual: [CatalogMessage] = [
        record(firstID, "alpha", revision: 1, labels: ["zone": "a", "gpu": "h100"], sealed: "v1.0.sealed-value"),
        record(secondID, "beta", revision: 2, kind: .ollama, labels: ["zone": "b"]),
        row(firstID, generation: 1, tick: 10, models: ["org/family/model", "quote\"back\\slash\nline/\u{1F600}"]),
    ]
}
