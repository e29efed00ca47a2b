import HTTPTypes
import Hummingbird
public import Logging
public import ServiceLifecycle

/// What a process says of itself at `/readyz`.
public struct Readiness: Sendable {
    /// A value of the answer's JSON.
    public enum Value: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
        ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
    {
        case string(String)
        case integer(Int)
        case number(Double)
        case bool(Bool)
        case null
        public init(stringLiteral value: String) { self = .string(value) }
        public init(integerLiteral value: Int) { self = .integer(value) }
        public init(floatLiteral value: Double) { self = .number(value) }
        public init(booleanLiteral value: Bool) { self = .bool(value) }
        public init(nilLiteral: ()) { self = .null }
    }

    /// 200 if so, else 503.
    public var isReady: Bool
    /// Besides `ready`, in this order.
    public var fields: [(String, Value)]

    public init(isReady: Bool, fields: [(String, Value)] = []) {
        self.isReady = isReady
        self.fields = fields
    }

    /// `{"ready":true,…}`.
    var json: String {
        var json = JSONText()
        json.append(object: [("ready", .bool(isReady))] + fields) { json, value in
            switch value {
            case .string(let text): json.append(string: text)
            case .integer(let number): json.append(raw: String(number))
            case .number(let number): json.append(raw: number.isFinite ? String(number) : "null")
            case .bool(let value): json.append(raw: String(value))
            case .null: json.append(raw: "null")
            }
        }
        return json.text
    }
}

/// Serves `GET /healthz` (the process is alive) and `GET /readyz` (it can do its work) for processes that serve no
/// other HTTP.
public struct HealthServer: Service {
    /// `ROLLCALL_HEALTH_PORT`: for the table of a process that has this server.
    public static let portSetting = Setting(
        name: "ROLLCALL_HEALTH_PORT", kind: "integer",
        meaning: "Port for GET /healthz and GET /readyz on all addresses; off by default.")

    private let host: String
    private let port: Int
    private let logger: Logger
    private let readiness: @Sendable () async -> Readiness
    private let onRunning: @Sendable (_ port: Int) async -> Void

    /// - Parameters:
    ///   - port: 0 takes any free one, which `onRunning` gets to know
    ///   - readiness: asked for each request of `/readyz`
    public init(
        host: String = "0.0.0.0", port: Int, logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.host = host
        self.port = port
        self.logger = logger
        self.onRunning = onRunning
        self.readiness = readiness
    }

    /// The port asked for by `ROLLCALL_HEALTH_PORT`, nil for no server.
    public static func port(_ settings: ProcessSettings) throws(SettingError) -> Int? {
        try settings.integer(portSetting, in: 1...65535)
    }

    public func run() async throws {
        let onRunning = onRunning
        let application = Application(
            router: router(),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        try await application.run()
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        let readiness = readiness
        router.get("healthz") { _, _ in Self.answer(.ok, #"{"status":"ok"}"#) }
        router.get("readyz") { _, _ in
            let state = await readiness()
            return Self.answer(state.isReady ? .ok : .serviceUnavailable, state.json)
        }
        return router
    }

    private static func answer(_ status: HTTPResponse.Status, _ json: String) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: json + "\n")))
    }
}
