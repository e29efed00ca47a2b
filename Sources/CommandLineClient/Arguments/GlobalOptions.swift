import ArgumentParser
import Conventions
import FoundationEssentials

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    static let defaultURL = "http://127.0.0.1:8400"

    @Option(
        help: ArgumentHelp(
            "The gateway's address; otherwise ROLLCALL_URL, otherwise \(GlobalOptions.defaultURL).", valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is the key; otherwise ROLLCALL_API_KEY. - is standard input.", valueName: "path"))
    var apiKeyFile: String?

    @Option(
        help: ArgumentHelp("Certificates (PEM) to trust in place of the system's, with https.", valueName: "path"))
    var caFile: String?

    @Option(
        help: ArgumentHelp(
            "Give up after this time in all, in chat after this time of silence (exit code 75).", valueName: "seconds"))
    var timeout: Double = 300

    @Flag(help: "Print the gateway's JSON as it came.")
    var json = false

    @Flag(help: "Say on standard error what is going on, also where that is no terminal.")
    var verbose = false

    func validate() throws {
        if let url { try Self.check(url: url, from: "--url") }
        guard timeout > 0, timeout <= 86_400 else {
            throw ValidationError("--timeout is a number of seconds, more than 0 and at most 86400")
        }
    }

    /// Without a slash at its end.
    func address(_ environment: [String: String]) throws -> String {
        let variable = environment["ROLLCALL_URL"].flatMap { $0.isEmpty ? nil : $0 }
        if let variable, url == nil { try Self.check(url: variable, from: "ROLLCALL_URL") }
        var address = url ?? variable ?? Self.defaultURL
        while address.hasSuffix("/") { address.removeLast() }
        return address
    }

    /// nil: the gateway is asked without one.
    func apiKey(_ environment: [String: String]) throws -> String? {
        guard let apiKeyFile else { return environment["ROLLCALL_API_KEY"].flatMap { $0.isEmpty ? nil : $0 } }
        return try SecretFile.firstLine(of: apiKeyFile)
    }

    private static func check(url: String, from source: String) throws {
        let hasScheme = ["http://", "https://"].contains { url.lowercased().hasPrefix($0) && url.count > $0.count }
        guard hasScheme, !url.contains("?"), !url.contains("#"), !url.contains(" ") else {
            throw ValidationError("\(source) is an address such as \(defaultURL)")
        }
        // Everybody on this machine sees arguments, and messages name the address.
        let authority = url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            throw ValidationError(
                "\(source) must hold no user and no password; the key comes from ROLLCALL_API_KEY or --api-key-file")
        }
    }
}

/// What every command takes that changes something.
struct WriteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Of an earlier try whose outcome is not known: the same key has one effect. A new one by default.",
            valueName: "key"))
    var idempotencyKey: String?

    /// The one given, or a new one.
    var key: String { idempotencyKey ?? UUID().uuidString.lowercased() }
}

/// A file with a secret, or standard input: arguments can be seen by every user of the machine.
enum SecretFile {
    static func firstLine(of path: String) throws -> String {
        let text = try TextFile.read(path)
        guard let secret = SecretText.firstLine(of: text) else {
            throw CommandFailure(.usage, "\(path) is empty, it should hold a key")
        }
        return secret
    }
}

enum TextFile {
    /// The whole text; `-` is standard input.
    static func read(_ path: String) throws -> String {
        if path == "-" {
            var lines: [String] = []
            while let line = readLine(strippingNewline: false) { lines.append(line) }
            return lines.joined()
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "\(path) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.usage, "\(path) is not UTF-8")
        }
        return text
    }
}
