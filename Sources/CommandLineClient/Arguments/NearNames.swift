import ArgumentParser

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
        let near = names.map { (name: $0, distance: distance($0, word)) }.min { $0.distance < $1.distance }
        // A third of the letters, or two of a short word, may be wrong.
        return near.flatMap { $0.distance <= max(2, word.count / 3) && $0.distance < word.count ? $0.name : nil }
    }

    static func name(_ command: any ParsableCommand.Type) -> String { command._commandName }

    private static func names(_ command: any ParsableCommand.Type) -> [String] {
        [name(command)] + command.configuration.aliases
    }

    /// Letters to add, remove, or replace, or neighbours to exchange (optimal string alignment).
    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var rows = [Array(0...right.count)]
        for i in 0..<left.count {
            var row = [i + 1]
            for j in 0..<right.count {
                var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    least = min(least, rows[i - 1][j - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
