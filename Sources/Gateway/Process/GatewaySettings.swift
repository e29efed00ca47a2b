import Catalog
import Launch

/// The gateway's own settings, checked.
struct GatewaySettings: Sendable {
    var host: String
    var port: Int
    var access = AccessPolicy()
    var inference = InferenceLimits()
    /// How long a stop may take in all.
    var drain = Duration.seconds(60)

    static let host = Setting(
        name: "ROLLCALL_HOST", kind: "text", defaultValue: "127.0.0.1",
        meaning: "Address to listen on; any but a loopback one needs ROLLCALL_ADMIN_KEY.")
    static let port = Setting(
        name: "ROLLCALL_PORT", kind: "integer", defaultValue: "8400",
        meaning: "Port to listen on; 0 lets the system choose, the log says which.")
    static let adminKey = Setting(
        name: "ROLLCALL_ADMIN_KEY", kind: "text",
        meaning: "The key that may do everything; without one the gateway is open, on loopback only.", isSecret: true)
    static let allowAnonymous = Setting(
        name: "ROLLCALL_ALLOW_ANONYMOUS", kind: "boolean", defaultValue: "false",
        meaning: "With an admin key: models and endpoints:read need none. Without one: listen on any address all the "
            + "same.")
    static let anonymousScopes = Setting(
        name: "ROLLCALL_ANONYMOUS_SCOPES", kind: "list",
        meaning: "With an admin key: what needs no key all the same, of models, inference, endpoints:read.")
    static let keysMaxAge = Setting(
        name: "ROLLCALL_KEYS_MAX_AGE", kind: "seconds",
        meaning: "API keys are refused while the catalog is older than this, 10 to 604800; off by default.")

    static let inferenceBodyLimit = Setting(
        name: "ROLLCALL_INFERENCE_BODY_LIMIT", kind: "bytes", defaultValue: "67108864",
        meaning: "The largest body of an inference request; it is held until an answer begins.")
    static let firstByteTimeout = Setting(
        name: "ROLLCALL_FIRST_BYTE_TIMEOUT", kind: "seconds", defaultValue: "300",
        meaning: "How long an inference request may wait for the first byte of its answer, all tries together.")
    static let idleTimeout = Setting(
        name: "ROLLCALL_IDLE_TIMEOUT", kind: "seconds", defaultValue: "120",
        meaning: "How long an endpoint may be silent in the middle of its answer.")
    static let queueLimit = Setting(
        name: "ROLLCALL_QUEUE_LIMIT", kind: "integer", defaultValue: "1000",
        meaning: "Inference requests that may wait while all endpoints of their model are at max_concurrency.")
    static let queueTimeout = Setting(
        name: "ROLLCALL_QUEUE_TIMEOUT", kind: "seconds", defaultValue: "30",
        meaning: "How long an inference request may wait for a place at an endpoint.")

    static let drainSeconds = Setting(
        name: "ROLLCALL_DRAIN_SECONDS", kind: "seconds", defaultValue: "60",
        meaning: "How long requests in flight may take after SIGTERM, 0 to 3600; what is left then ends as an error.")

    static let all = [
        host, port, adminKey, allowAnonymous, anonymousScopes, keysMaxAge, inferenceBodyLimit, firstByteTimeout,
        idleTimeout, queueLimit, queueTimeout, drainSeconds,
    ]

    /// Throws where a value is wrong, and where the gateway would be open on an address that others can reach.
    init(_ settings: ProcessSettings) throws(SettingError) {
        host = try settings.string(Self.host) ?? "127.0.0.1"
        port = try settings.integer(Self.port, in: 0...65535) ?? 8400
        access.adminKey = try Self.key(settings)
        access.keysMaxAge = try settings.seconds(Self.keysMaxAge, in: 10...604_800)
        let allowsAnonymous = try settings.bool(Self.allowAnonymous) ?? false
        access.anonymousScopes = try Self.scopes(settings, with: access.adminKey)
        if allowsAnonymous { access.anonymousScopes.formUnion(AccessPolicy.reads) }
        inference = try Self.inferenceLimits(settings)
        drain = try settings.seconds(Self.drainSeconds, in: 0...3600) ?? drain
        guard access.adminKey != nil || allowsAnonymous || Loopback.isLoopback(host: host) else {
            throw SettingError(
                setting: Self.host.name, value: host,
                allowed: "a loopback address, as long as ROLLCALL_ADMIN_KEY is not set and ROLLCALL_ALLOW_ANONYMOUS "
                    + "is not true")
        }
    }

    private static func inferenceLimits(_ settings: ProcessSettings) throws(SettingError) -> InferenceLimits {
        var limits = InferenceLimits()
        limits.bodyBytes = try settings.integer(inferenceBodyLimit, in: 1024...(1 << 30)) ?? limits.bodyBytes
        limits.firstByte = try settings.seconds(firstByteTimeout, in: 0.1...86_400) ?? limits.firstByte
        limits.idle = try settings.seconds(idleTimeout, in: 0.1...86_400) ?? limits.idle
        limits.queueLength = try settings.integer(queueLimit, in: 0...100_000) ?? limits.queueLength
        limits.queue = try settings.seconds(queueTimeout, in: 0...3600) ?? limits.queue
        return limits
    }

    /// Without an admin key everything is open: who lists a few scopes then means something else.
    private static func scopes(
        _ settings: ProcessSettings, with adminKey: String?
    ) throws(SettingError) -> Set<Scope> {
        guard let text = try settings.string(anonymousScopes) else { return [] }
        guard adminKey != nil else {
            throw SettingError(
                setting: anonymousScopes.name,
                problem: "needs ROLLCALL_ADMIN_KEY: without one the gateway is open to everybody, whatever is listed")
        }
        var scopes: Set<Scope> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = word.filter { $0 != " " }
            guard let scope = Scope(rawValue: name), AccessPolicy.open.contains(scope) else {
                let allowed = AccessPolicy.open.map(\.rawValue).joined(separator: ", ")
                throw SettingError(
                    setting: anonymousScopes.name, value: name,
                    allowed: "one or more of \(allowed), separated by commas")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    /// A key that cannot be sent in a header would lock everybody out.
    private static func key(_ settings: ProcessSettings) throws(SettingError) -> String? {
        guard let key = try settings.secret(adminKey) else { return nil }
        guard (8...4096).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw SettingError(setting: adminKey.name, value: nil, allowed: "8 to 4096 visible ASCII characters")
        }
        return key
    }
}
