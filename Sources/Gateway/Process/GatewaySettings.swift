import Catalog
import Launch

/// The gateway's own settings, checked.
struct GatewaySettings: Sendable {
    var host: String
    var port: Int
    var access = AccessPolicy()
    var inference = InferenceLimits()
    /// Certificates (PEM) of authorities that endpoints' certificates may be from, besides the system's.
    var endpointAuthorities: String?
    /// How long a stop may take in all.
    var drain = Duration.seconds(60)
    /// Whether each request gets a line in the log.
    var logsAccess: Bool
    /// nil: the gateway speaks plain HTTP.
    var tls: TLSFiles?

    /// What the gateway shows to clients, in PEM.
    struct TLSFiles: Sendable, Hashable {
        /// The certificate, and behind it those of the authorities in between.
        var certificate: String
        var privateKey: String
    }

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
    static let corsOrigins = Setting(
        name: "ROLLCALL_CORS_ORIGINS", kind: "list",
        meaning:
            "Sites whose pages may call the gateway, such as https://chat.example.org, or * for all; none by default.")
    static let certificateFile = Setting(
        name: "ROLLCALL_TLS_CERT_FILE", kind: "path",
        meaning: "Certificate chain in PEM: the gateway then speaks HTTPS. Needs ROLLCALL_TLS_KEY_FILE.")
    static let privateKeyFile = Setting(
        name: "ROLLCALL_TLS_KEY_FILE", kind: "path", meaning: "Private key of ROLLCALL_TLS_CERT_FILE in PEM.")

    static let inferenceBodyLimit = Setting(
        name: "ROLLCALL_INFERENCE_BODY_LIMIT", kind: "bytes", defaultValue: "67108864",
        meaning: "The largest body of an inference request; it is held until an answer begins.")
    static let inferenceMemory = Setting(
        name: "ROLLCALL_INFERENCE_MEMORY", kind: "bytes", defaultValue: "1073741824",
        meaning: "Bytes of request bodies that all inference requests together may hold; beyond it they get 503.")
    static let firstByteTimeout = Setting(
        name: "ROLLCALL_FIRST_BYTE_TIMEOUT", kind: "seconds", defaultValue: "300",
        meaning: "How long an inference request may wait for the first byte of its answer, all tries together.")
    static let idleTimeout = Setting(
        name: "ROLLCALL_IDLE_TIMEOUT", kind: "seconds", defaultValue: "120",
        meaning: "How long an endpoint may be silent in the middle of its answer.")
    static let queueLimit = Setting(
        name: "ROLLCALL_QUEUE_LIMIT", kind: "integer", defaultValue: "1000",
        meaning: "Inference requests for one model that may wait while all its endpoints are at max_concurrency; ten "
            + "times as many for all models.")
    static let queueTimeout = Setting(
        name: "ROLLCALL_QUEUE_TIMEOUT", kind: "seconds", defaultValue: "30",
        meaning: "How long an inference request may wait for a place at an endpoint.")

    static let accessLog = Setting(
        name: "ROLLCALL_ACCESS_LOG", kind: "boolean", defaultValue: "false",
        meaning: "A line in the log for each request, without its query and its key.")
    static let drainSeconds = Setting(
        name: "ROLLCALL_DRAIN_SECONDS", kind: "seconds", defaultValue: "60",
        meaning: "How long requests in flight may take after SIGTERM, 0 to 3600; what is left then ends as an error.")

    static let all = [
        host, port, adminKey, allowAnonymous, anonymousScopes, keysMaxAge, corsOrigins, certificateFile,
        privateKeyFile, EndpointAuthorities.setting, inferenceBodyLimit, inferenceMemory, firstByteTimeout, idleTimeout,
        queueLimit, queueTimeout, drainSeconds, accessLog,
    ]

    /// Throws if a value is wrong, and if the gateway would be open on an address that others can reach.
    init(_ settings: ProcessSettings) throws(SettingError) {
        host = try settings.string(Self.host) ?? "127.0.0.1"
        port = try settings.integer(Self.port, in: 0...65535) ?? 8400
        logsAccess = try settings.bool(Self.accessLog) ?? false
        access.adminKey = try Self.key(settings)
        access.keysMaxAge = try settings.seconds(Self.keysMaxAge, in: 10...604_800)
        let allowsAnonymous = try settings.bool(Self.allowAnonymous) ?? false
        access.anonymousScopes = try Self.scopes(settings, with: access.adminKey)
        if allowsAnonymous { access.anonymousScopes.formUnion(AccessPolicy.reads) }
        access.cors = try Self.cors(settings)
        access.listensOnLoopback = Loopback.isLoopback(host: host)
        tls = try Self.tls(settings)
        endpointAuthorities = try EndpointAuthorities.file(settings)
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
        limits.heldBytes = try settings.integer(inferenceMemory, in: (1 << 20)...(1 << 40)) ?? limits.heldBytes
        limits.firstByteTimeout = try settings.seconds(firstByteTimeout, in: 0.1...86_400) ?? limits.firstByteTimeout
        limits.idleTimeout = try settings.seconds(idleTimeout, in: 0.1...86_400) ?? limits.idleTimeout
        limits.queueLength = try settings.integer(queueLimit, in: 0...100_000) ?? limits.queueLength
        limits.queueTimeout = try settings.seconds(queueTimeout, in: 0...3600) ?? limits.queueTimeout
        return limits
    }

    private static func cors(_ settings: ProcessSettings) throws(SettingError) -> CORSPolicy? {
        guard let text = try settings.string(corsOrigins) else { return nil }
        guard let policy = CORSPolicy(text) else {
            throw SettingError(
                setting: corsOrigins.name, value: text,
                allowed: "*, or origins such as https://chat.example.org, separated by commas, each without a path")
        }
        return policy
    }

    private static func tls(_ settings: ProcessSettings) throws(SettingError) -> TLSFiles? {
        switch (try settings.string(certificateFile), try settings.string(privateKeyFile)) {
        case (nil, nil): return nil
        case (let certificate?, let privateKey?): return TLSFiles(certificate: certificate, privateKey: privateKey)
        case (nil, _): throw SettingError(setting: privateKeyFile.name, problem: "needs \(certificateFile.name)")
        case (_, nil): throw SettingError(setting: certificateFile.name, problem: "needs \(privateKeyFile.name)")
        }
    }

    /// Without an admin key everything is open, whatever scopes are listed: then the operator means something else.
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
            guard let scope = Scope(known: name), AccessPolicy.open.contains(scope) else {
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
