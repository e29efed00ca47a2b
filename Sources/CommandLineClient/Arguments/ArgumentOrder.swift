/// Lets options that every command has stand before the command too: `rollcall --json models list`.
enum ArgumentOrder {
    private static let flags: Set = ["--json", "--verbose"]
    private static let options: Set = ["--url", "--api-key-file", "--ca-file", "--timeout"]

    /// The same arguments with those options behind the command, where the parser wants them.
    static func arranged(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var leading: [String] = []
        while let first = rest.first {
            if flags.contains(first) || options.contains(where: { first.hasPrefix($0 + "=") }) {
                leading.append(first)
                rest = rest.dropFirst()
            } else if options.contains(first), rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        // Without a command there is nothing to put them behind.
        guard !leading.isEmpty, rest.first?.hasPrefix("-") == false else { return arguments }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return rest[..<end] + leading + rest[end...]
    }
}
