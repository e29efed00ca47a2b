public import AMQP
public import Logging
public import ServiceLifecycle

/// Skeleton: to be completed. One setting of a process: one row of the README's table and of `--help`.
public struct Setting: Sendable, Hashable {
    /// `ROLLCALL_…`; the argument is the same in lower case with dashes and without the prefix (`--amqp-url`).
    public var name: String
    public var kind: String
    public var defaultValue: String?
    public var meaning: String
    public var isSecret: Bool
}

/// A wrong value: ends the process with exit code 78 and one line.
public struct SettingError: Error, Sendable, CustomStringConvertible {
    public let description: String
    /// `ROLLCALL_PORT: "abc" is not …; it may be …`. A secret's value is never shown.
    public init(setting: String, value: String?, allowed: String) { fatalError() }
}

/// The values given by arguments, environment, and file, in this order, read with their types.
public struct ProcessSettings: Sendable {
    public func string(_ setting: Setting) throws(SettingError) -> String? { fatalError() }
    public func integer(_ setting: Setting, in range: ClosedRange<Int>) throws(SettingError) -> Int? { fatalError() }
    public func seconds(_ setting: Setting, in range: ClosedRange<Double>) throws(SettingError) -> Duration? {
        fatalError()
    }
    public func bool(_ setting: Setting) throws(SettingError) -> Bool? { fatalError() }
    /// The value, or the first line of the file named by `<name>_FILE`.
    public func secret(_ setting: Setting) throws(SettingError) -> String? { fatalError() }
}

/// What all processes share.
public struct CommonSettings: Sendable {
    public var amqpURLs: [String]
    public var amqpCAFile: String?
    public var namespace: String
    public var logger: Logger
    /// Raw value of ROLLCALL_SECRET_KEY(_FILE); check it with `KeyRing`.
    public var secretKey: String?
    public static let settings: [Setting] = []
    /// Two configurations, for publishing and for consuming, named `<role>@<host>/<pid> publish|consume`.
    public func connection(role: String, use: String, heartbeat: Duration) -> ConnectionConfiguration { fatalError() }
}

/// A process of Rollcall: what `main` calls.
public protocol RollcallProcess: Sendable {
    /// `gateway`, `poller`, …
    static var role: String { get }
    static var abstract: String { get }
    /// Its own settings, without the common ones.
    static var settings: [Setting] { get }
    /// Checks the values and makes the process; does no I/O that others could see.
    init(settings: ProcessSettings, common: CommonSettings) throws
    /// In the order in which they start; stopped in reverse.
    func services() async throws -> [any Service]
}

extension RollcallProcess {
    /// `--help`, `--version`, `--check-config`, `--config FILE`; runs the services until SIGTERM or SIGINT; exit codes
    /// 0, 64 (usage), 78 (configuration), 1 (failed).
    public static func main() async { fatalError() }
}
