import ArgumentParser
import TestSupport
import Testing

@testable import CommandLineClient

/// What README.md says of the command line.
@Suite("README")
struct ReadmeTests {
    private static var synopsis: [String] {
        get throws { try MarkdownFence.ofReadme(kind: "synopsis").flatMap(\.lines) }
    }

    @Test("It has every exit code")
    func exitCodes() throws {
        let text = try MarkdownFence.readme
        for reason in ExitReason.allCases { #expect(text.contains("\n| \(reason.rawValue) | "), "\(reason)") }
    }

    @Test("Its synopsis has every command, and no other command or option")
    func synopsis() throws {
        var shown: Set<[String]> = []
        for line in try Self.synopsis {
            // Two blanks begin the explanation.
            let words = line.prefix(upTo: line.firstRange(of: "  ")?.lowerBound ?? line.endIndex).split(separator: " ")
            #expect(words.first == "rollcall", "\(line)")
            let names = words.dropFirst().prefix { $0.allSatisfy { $0.isLowercase || $0 == "|" } }.prefix(2)
            let first = try #require(names.first.map(String.init), "\(line)")
            let command = try #require(
                Rollcall.configuration.subcommands.first { NearNames.name($0) == first }, "\(line)")
            let parts = command.configuration.subcommands
            guard !parts.isEmpty else {
                shown.insert([first])
                continue
            }
            for name in try #require(names.dropFirst().first, "\(line)").split(separator: "|").map(String.init) {
                let part = try #require(parts.first { NearNames.name($0) == name }, "\(line)")
                shown.insert([first, name])
                let help = Rollcall.helpMessage(for: part)
                for option in line.matches(of: #/--[a-z-]+/#) { #expect(help.contains(option.0), "\(line)") }
            }
        }
        let all = Rollcall.configuration.subcommands.flatMap { command in
            let parts = command.configuration.subcommands.map { [NearNames.name(command), NearNames.name($0)] }
            return parts.isEmpty ? [[NearNames.name(command)]] : parts
        }
        #expect(shown == Set(all))
    }
}
