public import AMQP
import Conventions
import FoundationEssentials
import Glibc
public import Logging

/// What all processes share.
public struct CommonSettings: Sendable {
    public var amqpURLs: [String]
    public var amqpCAFile: String?
    public var namespace: String
    /// Labelled with the role, at the level and in the format that were asked for.
    public var logger: Logger
    /// Raw value of ROLLCALL_SECRET_KEY(_FILE); check it with `KeyRing`.
    public var secretKey: String?
    /// Within this everything alive is said once more on the stream.
    /// For the handlers of the libraries' loggers.
    var logFormat = LineLogHandler.Format.text
    private let brokerJournal: BrokerJournal

    /// The values themselves, for tests and embedding.
    public init(
        amqpURLs: [String], amqpCAFile: String? = nil, namespace: String = "rollcall", logger: Logger,
        secretKey: String? = nil
    ) {
        self.amqpURLs = amqpURLs
        self.amqpCAFile = amqpCAFile
        self.namespace = namespace
        self.logger = logger
        self.secretKey = secretKey
        brokerJournal = BrokerJournal(logger: logger)
    }

    /// Reads and checks them.
    public init(settings: ProcessSettings, role: String, usesBroker: Bool = true) throws(SettingError) {
        logFormat = try Self.format(settings)
        logger = try Self.logger(settings, label: role, format: logFormat)
        brokerJournal = BrokerJournal(logger: logger)
        namespace = try Self.namespace(settings)
        amqpURLs = []
        guard usesBroker else { return }
        amqpURLs = try Self.brokerURLs(settings)
        amqpCAFile = try Self.caFile(settings, urls: amqpURLs)
        secretKey = try settings.secret(Self.secretKeySetting)
    }

    /// Host and port of each of the broker's nodes, without user and password.
    public var brokerAddresses: [String] {
        amqpURLs.map { url in
            let rest = url.drop { $0 != "/" }.drop { $0 == "/" }
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            return String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority)
        }
    }

    /// A configuration for one connection, named `<role>@<host>/<pid> <use>` in the broker's list of connections.
    ///
    /// - Parameter use: `publish` or `consume`: never both on one connection, since an alarm of the broker stops its
    ///   reading from connections that publish.
    public func connection(role: String, use: String, heartbeat: Duration) -> ConnectionConfiguration {
        let name = "\(role)@\(Self.hostName)/\(getpid()) \(use)"
        var configuration = ConnectionConfiguration(urls: amqpURLs, name: name)
        configuration.heartbeat = heartbeat
        configuration.tls = amqpCAFile.map(ConnectionConfiguration.TLS.init(caFile:))
        configuration.observer = { [brokerJournal] in brokerJournal.note($0, of: name) }
        return configuration
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension CommonSettings {
    static let amqpURL = Setting(
        name: "ROLLCALL_AMQP_URL", kind: "URLs", defaultValue: BrokerConvention.defaultURL,
        meaning: "The broker; several nodes of a cluster separated by commas. `amqps://` for TLS.", isSecret: true)
    static let amqpCA = Setting(
        name: "ROLLCALL_AMQP_CA_FILE", kind: "path",
        meaning: "Certificates (PEM) that the broker's is checked against; with `amqps://` the system's by default.")
    static let namespaceSetting = Setting(
        name: "ROLLCALL_NAMESPACE", kind: "text", defaultValue: BrokerConvention.defaultNamespace,
        meaning: "Prefix of every queue name, so that several deployments can share a broker.")
    static let logLevel = Setting(
        name: "ROLLCALL_LOG_LEVEL", kind: "word", defaultValue: "info",
        meaning: "trace, debug, info, notice, warning, error, or critical.")
    static let logFormat = Setting(
        name: "ROLLCALL_LOG_FORMAT", kind: "word", defaultValue: "text",
        meaning: "text (a readable line) or json (an object a line); both to standard error.")
    static let secretKeySetting = Setting(
        name: "ROLLCALL_SECRET_KEY", kind: "text",
        meaning:
            "32 bytes in base64 that seal endpoint keys; several separated by commas: the first seals, all unseal.",
        isSecret: true)

    static let loggingSettings = [logLevel, logFormat, ProcessSettings.configFile]

    /// The settings of every process that talks to the broker.
    public static let settings: [Setting] =
        [amqpURL, amqpCA, namespaceSetting, secretKeySetting]
        + loggingSettings

    private static func brokerURLs(_ settings: ProcessSettings) throws(SettingError) -> [String] {
        let text = try settings.secret(amqpURL) ?? ""
        guard let urls = BrokerURL.list(text) else {
            throw SettingError(setting: amqpURL.name, value: nil, allowed: BrokerURL.allowed)
        }
        return urls
    }

    private static func caFile(_ settings: ProcessSettings, urls: [String]) throws(SettingError) -> String? {
        if let given = try settings.string(amqpCA) {
            guard access(given, R_OK) == 0 else { throw settings.wrong(amqpCA, given, "the path of a readable file") }
            return given
        }
        guard urls.contains(where: BrokerURL.isEncrypted) else { return nil }
        let system = BrokerConvention.systemCertificates
        guard access(system, R_OK) == 0 else {
            throw SettingError(setting: amqpCA.name, problem: "needed for amqps://, since \(system) cannot be read")
        }
        return system
    }

    private static func namespace(_ settings: ProcessSettings) throws(SettingError) -> String {
        let text = try settings.string(namespaceSetting) ?? ""
        guard BrokerConvention.isNamespace(text) else {
            throw settings.wrong(namespaceSetting, text, BrokerConvention.allowedNamespace)
        }
        return text
    }

    private static func logger(
        _ settings: ProcessSettings, label: String, format: LineLogHandler.Format
    ) throws(SettingError) -> Logger {
        let levels = Logger.Level.allCases.map(\.rawValue)
        let level = try settings.choice(logLevel, of: levels).flatMap(Logger.Level.init(rawValue:)) ?? .info
        return Logger(label: label) { LineLogHandler(label: $0, format: format, level: level) }
    }

    private static func format(_ settings: ProcessSettings) throws(SettingError) -> LineLogHandler.Format {
        let formats = LineLogHandler.Format.allCases.map(\.rawValue)
        return try settings.choice(logFormat, of: formats).flatMap(LineLogHandler.Format.init(rawValue:)) ?? .text
    }
}
