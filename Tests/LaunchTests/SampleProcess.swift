import Launch
import ServiceLifecycle

/// A process with one setting of each kind.
struct SampleProcess: RollcallProcess {
    static let role = "sample"
    static let abstract = "A process of the tests."
    static let port = Setting(
        name: "ROLLCALL_PORT", kind: "integer", defaultValue: "8400", meaning: "Port to listen on.")
    static let adminKey = Setting(name: "ROLLCALL_ADMIN_KEY", kind: "text", meaning: "Key | of admins.", isSecret: true)
    static let anonymous = Setting(
        name: "ROLLCALL_ALLOW_ANONYMOUS", kind: "boolean", defaultValue: "false", meaning: "Open to all.")
    static let interval = Setting(
        name: "ROLLCALL_POLL_INTERVAL", kind: "seconds", defaultValue: "10", meaning: "Between two polls.")
    static let endpoints = Setting(name: "ROLLCALL_ENDPOINTS", kind: "list", meaning: "name=url, separated by commas.")
    static let settings = [port, adminKey, anonymous, interval, endpoints]

    var makeServices: @Sendable () async throws -> [any Service] = { [] }
    var port: Int?
    var adminKey: String?
    var isAnonymous: Bool?
    var interval: Duration?
    var endpoints: String?

    init(makeServices: @escaping @Sendable () async throws -> [any Service]) { self.makeServices = makeServices }

    init(settings: ProcessSettings, common: CommonSettings) throws {
        port = try settings.integer(Self.port, in: 1...65535)
        adminKey = try settings.secret(Self.adminKey)
        isAnonymous = try settings.bool(Self.anonymous)
        interval = try settings.seconds(Self.interval, in: 0.1...3600)
        endpoints = try settings.string(Self.endpoints)
    }

    func services(stop: StopRequest) async throws -> [any Service] { try await makeServices() }
}
