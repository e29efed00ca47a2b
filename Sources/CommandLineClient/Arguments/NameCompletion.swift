import ArgumentParser
import Curl
import FoundationEssentials
import JSON

/// Names for a shell's completion, asked from the gateway while somebody waits for the TAB key.
///
/// Without a gateway, or with one that does not answer within a second, there is nothing to offer: no error may get into
/// the line that is being typed.
enum NameCompletion {
    private static let patience = Duration.seconds(1)

    static let usableModels = of(["/v1/models"])
    static let registrations = of(["/v0/models"])
    static let anyModels = of(["/v1/models", "/v0/models"])
    static let endpoints = of(["/v0/endpoints"])

    private static func of(_ paths: [String]) -> CompletionKind {
        .custom { words, _, _ async in
            let names = await names(at: paths, words: words, environment: ProcessInfo.processInfo.environment)
            // To zsh's _describe a colon ends the name, and a description follows.
            guard CompletionShell.requesting == .zsh else { return names }
            return names.map { $0.replacing(":", with: "\\:") }
        }
    }

    /// - Parameter words: the line that is being typed; it may say which gateway is meant
    static func names(
        at paths: [String], words: [String], environment: [String: String], patience: Duration = patience
    ) async -> [String] {
        guard let options = try? GlobalOptions.parse(given(words)),
            let url = try? options.address(environment), let key = try? options.apiKey(environment) ?? ""
        else { return [] }
        let http = HTTPClient()
        let time = Timekeeper.real(limit: patience)
        let client = GatewayClient(
            http: http, url: url, apiKey: key.isEmpty ? nil : key, time: time,
            console: Console(write: { _ in }, remark: { _ in }, showsProgress: false, isTerminal: false))
        var names: Set<String> = []
        for path in paths {
            guard let response = try? await client.get(path), let answer = JSONValue(response.body) else { continue }
            for list in ["data", "models", "endpoints"] {
                names.formUnion(answer[list].elements.compactMap(name))
            }
        }
        await http.shutdown()
        return names.filter(isPlain).sorted()
    }

    /// Whether a shell reads the name as it stands, on its command line and in the generated scripts. An endpoint chooses the
    /// ids of its models, and bash runs `$(command)` inside the words that `compgen -W` is given. Other names have to be
    /// typed.
    private static func isPlain(_ name: String) -> Bool {
        !name.hasPrefix("-")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: ","),
                    UInt8(ascii: "="), UInt8(ascii: "%"):
                    true
                default: false
                }
            }
    }

    /// Records have a name and an id that nobody types; a model of the list has only its id.
    private static func name(_ record: JSONValue) -> String? { record["name"].text ?? record["id"].text }

    /// `--url` and the like out of the line, which as a whole cannot be parsed yet. Standard input is the terminal, so
    /// a key that is to be read from there cannot be had.
    private static func given(_ words: [String]) -> [String] {
        var given: [String] = []
        for option in ["--url", "--api-key-file", "--ca-file"] {
            if let place = words.firstIndex(of: option), place + 1 < words.count, words[place + 1] != "-" {
                given += [option, words[place + 1]]
            }
        }
        return given
    }
}
