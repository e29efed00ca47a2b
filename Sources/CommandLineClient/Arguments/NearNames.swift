import ArgumentParser
import Conventions

/// Suggests a command for one that does not exist. The argument parser suggests options only.
enum NearNames {
    /// Words of other tools for what a command here does.
    private static let synonyms = [
        "delete": "remove", "del": "remove", "create": "add", "new": "add", "get": "show", "describe": "show",
        "edit": "update", "set": "update", "pull": "register", "run": "chat", "ask": "chat", "health": "status",
        "completion": "completions", "servers": "endpoints", "server": "endpoints", "ps": "list",
    ]

    /// nil if the parser knows every command of these arguments.
    static func correction(_ arguments: [String], root: any ParsableCommand.Type = Rollcall.self) -> ValidationError? {
        var place = root
        for (index, word) in arguments.enumerated() {
            let children = place.configuration.subcommands
            // The rest are arguments of the command, or options. The parser itself reports a wrong option.
            guard !children.isEmpty, !word.hasPrefix("-") else { return nil }
            if let child = children.first(where: { names($0).contains(word) }) {
                place = child
                continue
            }
            if index == 0, word == "help" { return nil }
            let path = ["rollcall"] + arguments[..<index]
            let message = "There is no command '\((path + [word]).joined(separator: " "))'."
            guard let near = nearest(to: word, among: children.map(name)) else {
                return ValidationError("\(message) See '\((path + ["--help"]).joined(separator: " "))'.")
            }
            let meant = path + [near] + arguments[(index + 1)...]
            return ValidationError("\(message) Did you mean '\(meant.joined(separator: " "))'?")
        }
        return nil
    }

    /// The name that a word was most likely meant for.
    static func nearest(to word: String, among names: [String]) -> String? {
        if let synonym = synonyms[word], names.contains(synonym) { return synonym }
        if word.count > 2, let longer = names.first(where: { $0.hasPrefix(word) }) { return longer }
        return EditDistance.nearest(to: word, among: names)
    }

    static func name(_ command: any ParsableCommand.Type) -> String { command._commandName }

    private static func names(_ command: any ParsableCommand.Type) -> [String] {
        [name(command)] + command.configuration.aliases
    }
}
