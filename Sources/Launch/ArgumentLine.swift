internal import Conventions

/// The arguments of a process, checked against its table of settings.
///
/// swift-argument-parser declares each option as a property of a type; here the options are rows of a table that is
/// also the help, the README, the environment, and the file. So the line is split here, strictly, and the values are
/// looked up by swift-configuration like those of the other sources.
struct ArgumentLine: Sendable, Equatable {
    /// What the line asks for besides running.
    enum Request: Sendable, Equatable { case run, help, version, checkConfig }

    var request = Request.run
    /// `--key=value`, one each, as swift-configuration's provider reads them.
    var values: [String] = []

    /// Wrong use: one line, exit code 64.
    struct UsageError: Error, Equatable { let message: String }

    static let requests: [String: Request] = [
        "--help": .help, "-h": .help, "--version": .version, "--check-config": .checkConfig,
    ]

    init(_ arguments: [String], settings: [Setting]) throws(UsageError) {
        // Whoever asks for help gets it, whatever else is wrong with the line.
        if arguments.contains(where: { Self.requests[$0] == .help }) {
            request = .help
            return
        }
        let known = Dictionary(settings.map { ($0.argument, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if let asked = Self.requests[argument] {
                request = asked
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = parts.first.map(String.init) ?? ""
            guard let setting = known[name] else {
                throw Self.unknown(name, among: Array(known.keys) + Array(Self.requests.keys))
            }
            guard seen.insert(name).inserted else { throw UsageError(message: "\(name) is given twice") }
            let value = try Self.value(of: setting, inline: parts.count > 1 ? String(parts[1]) : nil, rest: &rest)
            if !value.isEmpty { values.append("\(name)=\(value)") }
        }
    }

    private static func value(
        of setting: Setting, inline: String?, rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        if let inline { return inline }
        if setting.isFlag {
            guard let next = rest.first, !next.hasPrefix("-") else { return "true" }
            rest.removeFirst()
            return next
        }
        guard let next = rest.first, !next.hasPrefix("--") else {
            throw UsageError(message: "\(setting.argument) needs a value (\(setting.kind))")
        }
        rest.removeFirst()
        return next
    }

    private static func unknown(_ name: String, among known: [String]) -> UsageError {
        guard name.hasPrefix("-") else {
            return UsageError(message: "unexpected argument \"\(name)\"; all arguments begin with --")
        }
        let hint = EditDistance.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
        return UsageError(message: "unknown argument \(name)\(hint)")
    }
}
