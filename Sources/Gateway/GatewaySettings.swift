import Launch

/// The gateway's own settings, checked.
struct GatewaySettings: Sendable {
    var host: String
    var port: Int
    var adminKey: String?
    var allowsAnonymous: Bool

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
        meaning: "With an admin key: reads need none. Without one: listen on any address all the same.")

    static let all = [host, port, adminKey, allowAnonymous]

    /// Throws where a value is wrong, and where the gateway would be open on an address that others can reach.
    init(_ settings: ProcessSettings) throws(SettingError) {
        host = try settings.string(Self.host) ?? "127.0.0.1"
        port = try settings.integer(Self.port, in: 0...65535) ?? 8400
        adminKey = try Self.key(settings)
        allowsAnonymous = try settings.bool(Self.allowAnonymous) ?? false
        guard adminKey != nil || allowsAnonymous || Loopback.isLoopback(host: host) else {
            throw SettingError(
                setting: Self.host.name, value: host,
                allowed: "a loopback address, as long as ROLLCALL_ADMIN_KEY is not set and ROLLCALL_ALLOW_ANONYMOUS "
                    + "is not true")
        }
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
