import ArgumentParser
import Foundation
import Testing

@testable import CommandLineClient

@Suite("Arguments")
struct OptionTests {
    private func parse<Command: GatewayCommand>(_ arguments: [String], as type: Command.Type) throws -> Command {
        try #require(try Rollcall.parseAsRoot(ArgumentOrder.arranged(arguments)) as? Command)
    }

    @Test(
        "Common options may stand before the command",
        arguments: [
            (["--json", "models", "list"], ["models", "list", "--json"]),
            (["--url", "http://a", "--timeout=3", "status"], ["status", "--url", "http://a", "--timeout=3"]),
            (["--json", "models", "show", "--", "-x"], ["models", "show", "--json", "--", "-x"]),
            (["models", "--json", "list"], ["models", "--json", "list"]), (["--version"], ["--version"]),
            (["--json"], ["--json"]), (["--url"], ["--url"]), (["--json", "--help"], ["--json", "--help"]),
            ([], []),
        ])
    func order(given: [String], arranged: [String]) {
        #expect(ArgumentOrder.arranged(given) == arranged)
    }

    @Test("Addresses: the argument, the environment, the default")
    func address() throws {
        let environment = ["ROLLCALL_URL": "https://there/"]
        #expect(try GlobalOptions.parse(["--url", "http://here:1//"]).address(environment) == "http://here:1")
        #expect(try GlobalOptions.parse([]).address(environment) == "https://there")
        #expect(try GlobalOptions.parse([]).address(["ROLLCALL_URL": ""]) == "http://127.0.0.1:8400")
        for wrong in ["here:8400", "ftp://a", "http://", "http://a?b"] {
            #expect(throws: (any Error).self) { try GlobalOptions.parse(["--url", wrong]) }
            #expect(throws: ValidationError.self) { try GlobalOptions.parse([]).address(["ROLLCALL_URL": wrong]) }
        }
        #expect(throws: (any Error).self) { try GlobalOptions.parse(["--timeout", "0"]) }
        #expect(try GlobalOptions.parse(["--url", "http://a/b@c"]).address([:]) == "http://a/b@c")
    }

    @Test("An address with a password is refused without being shown")
    func password() throws {
        for url in ["http://user:hunter2@a", "https://hunter2@a:1/x", "HTTP://u:hunter2@[::1]/"] {
            let error = try #require(throws: (any Error).self) { try GlobalOptions.parse(["--url", url]) }
            #expect(Rollcall.exitCode(for: error).rawValue == ExitReason.usage.rawValue)
            let fromEnvironment = try #require(throws: ValidationError.self) {
                try GlobalOptions.parse([]).address(["ROLLCALL_URL": url])
            }
            for text in [GlobalOptions.fullMessage(for: error), fromEnvironment.message] {
                #expect(text.contains("must hold no user and no password") && !text.contains("hunter2"))
            }
        }
    }

    @Test("Keys: the file, the environment, none; never an argument")
    func keys() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID().uuidString)")
        try Data("from-file\nsecond line\n".utf8).write(to: file)
        let environment = ["ROLLCALL_API_KEY": "from-environment"]
        #expect(try GlobalOptions.parse(["--api-key-file", file.path]).apiKey(environment) == "from-file")
        #expect(try GlobalOptions.parse([]).apiKey(environment) == "from-environment")
        #expect(try GlobalOptions.parse([]).apiKey([:]) == nil)
        for text in ["from-file ", "from-file\r\nsecond line", "\t from-file\t\n", "\nfrom-file"] {
            try Data(text.utf8).write(to: file)
            #expect(try GlobalOptions.parse(["--api-key-file", file.path]).apiKey([:]) == "from-file")
        }
        try Data("\n \n".utf8).write(to: file)
        #expect(throws: CommandFailure.self) { try GlobalOptions.parse(["--api-key-file", file.path]).apiKey([:]) }
        try FileManager.default.removeItem(at: file)
        #expect(throws: CommandFailure.self) { try GlobalOptions.parse(["--api-key-file", file.path]).apiKey([:]) }
        #expect(throws: (any Error).self) { try Rollcall.parseAsRoot(["status", "--api-key", "secret"]) }
    }

    @Test("What cannot be meant is wrong use (64)")
    func wrong() throws {
        for arguments in [
            ["endpoints", "update", "a"], ["endpoints", "update", "a", "--label", "x=1", "--no-labels"],
            ["endpoints", "update", "a", "--endpoint-key-file", "f", "--no-endpoint-key"],
            ["endpoints", "update", "a", "--poll-interval", "often"], ["endpoints", "add", "a"],
            ["endpoints", "add", "a", "http://b", "--label", "novalue"], ["models", "show"], ["models", "pull", "x"],
            ["operations", "watch"], ["status", "extra"], ["keys", "create", "n"], ["keys", "revoke"],
        ] {
            let error = #expect(throws: (any Error).self) { try Rollcall.parseAsRoot(arguments) }
            #expect(error.map { Rollcall.exitCode(for: $0).rawValue } == ExitReason.usage.rawValue)
        }
    }

    @Test("Every command has the common options, and those that write have a key")
    func everywhere() throws {
        for (arguments, writes) in [
            (["endpoints", "list"], false), (["endpoints", "show", "a"], false),
            (["endpoints", "add", "a", "http://b"], true), (["endpoints", "update", "a", "--draining"], true),
            (["endpoints", "remove", "a"], true), (["endpoints", "poll", "a"], true), (["models", "list"], false),
            (["models", "registered"], false), (["models", "show", "a"], false), (["models", "register", "a/b"], true),
            (["models", "remove", "a"], true), (["models", "refresh", "a"], true), (["models", "verify", "a"], true),
            (["keys", "list"], false), (["keys", "create", "n", "--scope", "models"], true),
            (["keys", "revoke", "a"], true),
            (["models", "manifest", "a"], false), (["operations", "watch", "a"], false), (["status"], false),
        ] {
            let common = ["--url", "http://x", "--json", "--timeout", "5", "--verbose"]
            let command = try Rollcall.parseAsRoot(arguments + common) as? any GatewayCommand
            #expect(command?.options.url == "http://x" && command?.options.json == true)
            let keyed = Result { try Rollcall.parseAsRoot(arguments + ["--idempotency-key", "k"]) }
            #expect(((try? keyed.get()) != nil) == writes, "\(arguments)")
        }
        let label = try parse(["endpoints", "list", "--label", "a=1", "--label", "b"], as: EndpointsCommand.List.self)
        #expect(label.label == ["a=1", "b"])
    }

    @Test("Names in a path")
    func paths() throws {
        #expect(try PathText.encode("qwen/qwen3-8b:Q4 ü%?#") == "qwen/qwen3-8b%3AQ4%20%C3%BC%25%3F%23")
        for name in ["", "/a", "a//b", "a/", "../endpoints/x", "a/./b", ".."] {
            #expect(throws: CommandFailure.self, "\(name)") { try PathText.encode(name) }
        }
        #expect(PathText.query([("state", nil), ("label", "a=b&c"), ("kind", "x/y")]) == "?label=a%3Db%26c&kind=x%2Fy")
        #expect(PathText.query([("state", nil)]).isEmpty)
    }
}
