import ArgumentParser
import Testing

@testable import CommandLineClient

@Suite("Near names")
struct NearNameTests {
    @Test(
        "A command that does not exist names the one that was meant, with the rest of the line",
        arguments: [
            (["endpoint", "list"], "rollcall endpoints list"), (["endpoints", "lst"], "rollcall endpoints list"),
            (["model", "show", "x"], "rollcall models show x"),
            (["endpoints", "delete", "a"], "rollcall endpoints remove a"),
            (["keys", "craete", "n"], "rollcall keys create n"), (["stauts"], "rollcall status"),
            (["topology", "aply"], "rollcall topology apply"), (["completion", "zsh"], "rollcall completions zsh"),
            (["op", "watch", "1"], "rollcall op --help"), (["frobnicate"], "rollcall --help"),
            (["run", "m"], "rollcall chat m"), (["models", "pull", "a/b"], "rollcall models register a/b"),
        ])
    func near(arguments: [String], meant: String) throws {
        let error = try #require(NearNames.correction(arguments))
        if meant.hasSuffix("--help") {
            #expect(error.message.hasSuffix("See 'rollcall --help'."), "\(error.message)")
        } else {
            #expect(error.message.hasSuffix("Did you mean '\(meant)'?"), "\(error.message)")
        }
    }

    @Test(
        "Commands that exist, by their aliases too, are left to the parser",
        arguments: [
            [], ["--version"], ["--help"], ["help", "nonsense"], ["endpoints"], ["endpoints", "ls"],
            ["endpoints", "rm", "a"], ["keys", "rm", "a"], ["models", "ls"], ["models", "rm", "a"], ["keys", "ls"],
            ["status", "extra"], ["models", "--json", "list"], ["chat", "m", "endpoint"],
            ["---completion", "chat", "--", "positional@0", "2", "0"],
        ])
    func existing(arguments: [String]) throws {
        #expect(NearNames.correction(arguments) == nil)
        if arguments.count > 1, ["ls", "rm"].contains(arguments[1]) {
            #expect(try Rollcall.parseAsRoot(arguments) is any GatewayCommand)
        }
    }
}
