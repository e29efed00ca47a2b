import Foundation
import TestSupport

/// The terminal sessions that the `console` blocks of a Markdown document show.
///
/// `$ ` begins a command, which goes on after a `\` at the end of its line. `^C` is the key. All other lines are output, in
/// which `…` stands for anything: alone on a line, for any number of lines.
struct Transcript: Sendable {
    struct Step: Sendable {
        enum Input: Sendable, Hashable {
            case command(String)
            case controlC
        }

        var input: Input
        var output = ""

        /// The command goes on until Ctrl-C.
        var staysInForeground: Bool { output.contains(Transcript.running) }
        /// The command ends with another exit code than 0.
        var fails: Bool { output.hasPrefix("error: ") || output.contains("\nerror: ") }
    }

    /// What `make run` prints once all is there.
    static let running = "Running; Ctrl-C stops it."

    private(set) var steps: [Step] = []

    init(_ fences: [MarkdownFence]) {
        var continues = false
        for line in fences.filter({ $0.kind == "console" }).flatMap(\.lines) {
            if continues, let last = steps.last, case .command(let command) = last.input {
                steps[steps.count - 1].input = .command(command + "\n" + line)
            } else if line.hasPrefix("$ ") {
                steps.append(Step(input: .command(String(line.dropFirst(2)))))
            } else if line.hasPrefix("^C") {
                steps.append(Step(input: .controlC, output: line.dropFirst(2) + "\n"))
            } else if !steps.isEmpty {
                steps[steps.count - 1].output += line + "\n"
            }
            continues = line.hasSuffix("\\") && (continues || line.hasPrefix("$ "))
        }
    }
}

/// Output as far as it is the same each time: without the values of times, ids, keys, durations, and counts, and without the
/// width of columns.
struct OutputShape: Sendable {
    private let pattern: NSRegularExpression

    /// - Parameter shown: output, with `…` for anything
    init(_ shown: String) throws {
        let lines = Self.withoutValues(shown).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let patterns = lines.map { line in
            guard line != "…" else { return "(?:.*\\n)*" }
            return NSRegularExpression.escapedPattern(for: String(line)).replacing("…", with: ".*") + "\\n"
        }
        pattern = try NSRegularExpression(pattern: "\\A" + patterns.joined() + "\\z")
    }

    func fits(_ printed: String) -> Bool {
        let text = Self.withoutValues(printed)
        return pattern.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }

    /// Each line is ended.
    private static func withoutValues(_ text: String) -> String {
        var text = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
        // Progress that is written over.
        text.replace(#/[^\r\n]*\r/#, with: "")
        text.replace(#/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/#, with: "TIME")
        text.replace(#/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/#, with: "ID")
        text.replace(#/\brc_[A-Za-z0-9_-]+/#, with: "KEY")
        text.replace(#/\b\d+(\.\d+)? m?s\b/#, with: "DURATION")
        text.replace(#/\b\d+(\.\d+)? tokens\/s\b/#, with: "SPEED")
        text.replace(#/ \d+(?= |\n)/#, with: " COUNT")
        text.replace(#/ +/#, with: " ")
        text.replace(#/ \n/#, with: "\n")
        return text
    }
}
