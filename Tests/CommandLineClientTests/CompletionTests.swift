import Foundation
import TestSupport
import Testing

@testable import CommandLineClient

@Suite("Completions", .timeLimit(.minutes(1)))
struct CompletionTests {
    @Test("bash: commands, options, and the gateway's models, behind a colon too")
    func bash() async throws {
        let gateway = StubGateway { _ in .json(#"{"data":[{"id":"qwen3:14b"},{"id":"qwen3:8b"},{"id":"org/m"}]}"#) }
        try await gateway.serve { url in
            func complete(_ words: [String], _ current: String) async throws -> [String] {
                let list = words.map { "'\($0)'" }.joined(separator: " ")
                // bash takes each colon for a word of its own.
                let line = ([Program.path] + words).joined(separator: " ").replacing(#/ ?: ?/#, with: ":")
                let script = """
                    export ROLLCALL_URL=\(url)
                    source <('\(Program.path)' completions bash)
                    COMP_WORDS=('\(Program.path)' \(list)) COMP_CWORD=\(words.count)
                    COMP_LINE='\(line)' COMP_POINT=${#COMP_LINE}
                    $(complete -p rollcall | sed 's/.*-F \\([^ ]*\\) .*/\\1/') rollcall '\(current)' "${COMP_WORDS[COMP_CWORD-1]}"
                    printf '%s\\n' "${COMPREPLY[@]}"
                    """
                let ended = try await Program(["-c", script], executable: "/bin/bash").end()
                #expect(ended.errors.isEmpty && ended.code == 0, "\(ended.errors)")
                return ended.output.split(separator: "\n").map(String.init)
            }
            for (words, current, offered) in [
                (["end"], "end", ["endpoints"]),
                (["models", "re"], "re", ["registered", "register", "remove", "refresh"]),
                (["chat", "q"], "q", ["qwen3:14b", "qwen3:8b"]), (["chat", "qwen3", ":", "1"], "1", ["14b"]),
                (["chat", "qwen3", ":"], "", ["14b", "8b"]), (["models", "show", "qwen3", ":", "8"], "8", ["8b"]),
                (["chat", "--url", "http", ":", "//127.0.0.1", ":", "\(url.suffix(5))", "o"], "o", ["org/m"]),
                (["chat", "org/m", "--st"], "--st", ["--stats"]),
            ] {
                let found = try await complete(words, current)
                #expect(found == offered, "\(words)")
            }
        }
        #expect(gateway.requests.map(\.path).first == "/v1/models")
    }

    @Test("Names are asked for at the gateway that the line says, with the key of the environment")
    func names() async throws {
        let gateway = StubGateway { asked in
            asked.path == "/v0/models"
                ? .json(#"{"models":[{"name":"org/b"},{"name":"a\nb"}]}"#) : .json(#"{"data":[{"id":"m"}]}"#)
        }
        let names = try await gateway.serve { url in
            await NameCompletion.names(
                at: ["/v1/models", "/v0/models"], words: ["rollcall", "models", "show", "--url", url, ""],
                environment: ["ROLLCALL_URL": "http://127.0.0.1:1", "ROLLCALL_API_KEY": "k1"], patience: .seconds(30))
        }
        #expect(names == ["m", "org/b"])
        #expect(gateway.requests.allSatisfy { $0.headers["authorization"] == "Bearer k1" })
    }

    /// bash expands the words that a script offers, and a script has no other way to offer them.
    @Test("A model's name runs nothing in the shell of whoever completes it")
    func hostileNames() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)").path
        let ids = [
            "good:8b", "$(touch${IFS}\(file))", "$(touch \(file))", "`touch \(file)`", "x`", "a'b", "a\"b", "${HOME}",
            "~root",
            "-rf", "a;b", "a&b", "a|b", "a>b", "a*b", "a b", "a\\b",
        ]
        let data = try JSONEncoder().encode(["data": ids.map { ["id": $0] }])
        let gateway = StubGateway { _ in .json(String(decoding: data, as: UTF8.self)) }
        let ended = try await gateway.serve { url in
            let script = """
                export ROLLCALL_URL=\(url)
                source <('\(Program.path)' completions bash)
                COMP_WORDS=('\(Program.path)' chat '') COMP_CWORD=2
                COMP_LINE='\(Program.path) chat ' COMP_POINT=${#COMP_LINE}
                $(complete -p rollcall | sed 's/.*-F \\([^ ]*\\) .*/\\1/') rollcall '' chat
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            return try await Program(["-c", script], executable: "/bin/bash").end()
        }
        #expect(ended.output.contains("good:8b\n") && ended.errors.isEmpty, "\(ended)")
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("zsh takes what follows a colon for a description, unless the colon is escaped")
    func zsh() async throws {
        let gateway = StubGateway { _ in .json(#"{"data":[{"id":"qwen3:14b"}]}"#) }
        let ended = try await gateway.serve { url in
            let words = ["---completion", "chat", "--", "positional@0", "2", "0", "rollcall", "chat", ""]
            return try await Program(
                ["SAP_SHELL=zsh", "ROLLCALL_URL=\(url)", Program.path] + words, executable: "/usr/bin/env"
            ).end()
        }
        #expect(ended.output == "qwen3\\:14b\n \n")
    }

    struct Shell: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [String]
        let setUp: String
        var path: String { "/usr/bin/" + name }
        var testDescription: String { name }

        static let all = [
            Shell(
                name: "bash", arguments: ["--noprofile", "--norc", "-i"], setUp: "source <(rollcall completions bash)"),
            Shell(
                name: "zsh", arguments: ["-f", "-i"],
                setUp: "autoload -Uz compinit; compinit -D -u; source <(rollcall completions zsh)"),
            Shell(name: "fish", arguments: ["--no-config", "-i"], setUp: "rollcall completions fish | source"),
        ].filter { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// Each line runs what the keys have made of it, and the gateway sees what that is.
    @Test("The TAB key at a pseudo-terminal", arguments: Shell.all)
    func typed(shell: Shell) async throws {
        let gateway = StubGateway { asked in
            .json(
                asked.path.contains("endpoints")
                    ? #"{"endpoints":[{"name":"gpu-1"}]}"#
                    : #"{"data":[{"id":"qwen3:14b"},{"id":"qwen3:8b"},{"id":"$(false)"}],"models":[]}"#)
        }
        try await gateway.serve { url in
            let terminal = try Terminal()
            let folder = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
            let path = "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
            let program = try Program(
                ["--ctty", "--wait", "env", "PATH=\(path)", "ROLLCALL_URL=\(url)", "TERM=vt100", shell.path]
                    + shell.arguments, executable: "/usr/bin/setsid", terminal: terminal)
            func enter(_ keys: String) async throws {
                // The word is not in what is typed, and so not in its echo.
                try terminal.type(keys + "; printf 'read%s\\n' y\r")
                _ = await terminal.read(until: "ready\n")
            }
            try await enter(shell.setUp)
            try await enter("rollcall endpo\tsh\tgp\t")
            try await enter("rollcall models sh\tqwen3:1\t")
            try terminal.type("exit\r")
            _ = await terminal.read()
            _ = try await program.end()
        }
        let paths = gateway.requests.map(\.path)
        #expect(paths.contains("/v0/endpoints/gpu-1") && paths.contains("/v1/models/qwen3%3A14b"), "\(paths)")
    }

    @Test("Without a gateway, or with one that is silent, there is nothing, within a second and a bit")
    func silence() async throws {
        let silent = RawServer { connection in _ = connection.read(1 << 20) }
        for url in ["http://127.0.0.1:1", silent.url, "nonsense"] {
            let start = ContinuousClock().now
            let names = await NameCompletion.names(
                at: ["/v1/models", "/v0/models"], words: [], environment: ["ROLLCALL_URL": url])
            #expect(names.isEmpty && ContinuousClock().now - start < .seconds(3), "\(url)")
        }
        withExtendedLifetime(silent) {}
    }

    @Test("Every shell has a script", arguments: CompletionsCommand.Shell.allCases)
    func scripts(shell: CompletionsCommand.Shell) async throws {
        let ended = try await Program(["completions", shell.rawValue]).end()
        #expect(ended.code == 0 && ended.output.contains("rollcall") && ended.output.contains("endpoints"))
    }
}
