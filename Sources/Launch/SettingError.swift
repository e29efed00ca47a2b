/// A wrong value: ends the process with exit code 78 and one line.
public struct SettingError: Error, Sendable, CustomStringConvertible {
    public let description: String

    /// `ROLLCALL_PORT: "abc" is not valid; it may be an integer from 1 to 65535`.
    ///
    /// - Parameters:
    ///   - setting: its name, as in the environment
    ///   - value: what it was; nil for a secret, whose value is never shown
    ///   - allowed: what it may be; completes the words "it may be"
    public init(setting: String, value: String?, allowed: String) {
        let shown = value.map { "\"\(Self.oneLine($0))\"" } ?? "the value given"
        description = "\(setting): \(shown) is not valid; it may be \(allowed)"
    }

    /// For what is not about one value: a file that cannot be read, two sources of one secret.
    public init(setting: String, problem: String) {
        description = "\(setting): \(Self.oneLine(problem))"
    }

    /// Keeps the message on one line of a bearable length whatever was given.
    private static func oneLine(_ text: String) -> String {
        let limit = 200
        let flat = text.unicodeScalars.prefix(limit).map { scalar in
            scalar.properties.generalCategory == .control ? " " : String(scalar)
        }
        return flat.joined() + (text.unicodeScalars.count > limit ? "…" : "")
    }
}
