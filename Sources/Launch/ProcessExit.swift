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
