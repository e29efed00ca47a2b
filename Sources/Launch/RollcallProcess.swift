public import ServiceLifecycle

/// A process of Rollcall: what `main` calls.
public protocol RollcallProcess: Sendable {
    /// `gateway`, `poller`, …
    static var role: String { get }
    /// A sentence or two for the top of the help.
    static var abstract: String { get }
    /// Its own settings, without the common ones.
    static var settings: [Setting] { get }
    /// Whether it talks to the broker. One that does not has only the common settings of the log.
    static var usesBroker: Bool { get }
    /// Checks the values and makes the process; does no I/O that others could see.
    init(settings: ProcessSettings, common: CommonSettings) throws
    /// The time that its services have to stop in when they are asked to; then they are cancelled.
    var stopLimit: Duration { get }
    /// In the order in which they start; stopped in reverse. `stop` says how that was asked for, once it was.
    func services(stop: StopRequest) async throws -> [any Service]
}

extension RollcallProcess {
    public static var usesBroker: Bool { true }
    public var stopLimit: Duration { .seconds(10) }

    /// `rollcall-gateway`: the name of the executable.
    static var program: String { "rollcall-\(role)" }

    static var commonSettings: [Setting] {
        usesBroker ? CommonSettings.settings : CommonSettings.loggingSettings
    }
}

/// Thrown by a service to end its process with a code and one line.
public struct ProcessExit: Error, Sendable, CustomStringConvertible {
    /// 1 failed, 64 wrong use, 78 wrong configuration (the numbers of `sysexits.h`).
    public let code: Int32
    /// One line that says what the reader can do about it.
    public let message: String

    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// `EX_USAGE` and `EX_CONFIG` of `sysexits.h`.
    static let usage: Int32 = 64
    static let configuration: Int32 = 78
    static let failure: Int32 = 1
}
