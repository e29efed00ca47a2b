import Foundation
import Testing

/// Everything that README.md shows of a terminal, typed into two terminals as a newcomer does who has just cloned it.
@Suite(.serialized)
struct ReadmeTests {
    private static let isClone = FileManager.default.fileExists(atPath: Paths.root.appendingPathComponent(".git").path)

    @Test(
        .timeLimit(.minutes(5)),
        .enabled(if: TestBroker.isAvailable && Paths.python != nil, "needs scripts/test"),
        .enabled(if: isClone, "needs a clone of the repository"))
    func eachCommandPrintsWhatIsShown() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            try await follow(in: folder)
            try FileManager.default.removeItem(at: folder)
        } catch {
            Issue.record("\(error)\nThe checkout and the logs are in \(folder.path).")
        }
    }

    private func follow(in folder: URL) async throws {
        let checkout = try await Self.clone(to: folder.appendingPathComponent("checkout"))
        let place = try Place()
        let readme = try String(contentsOf: checkout.appendingPathComponent("README.md"), encoding: .utf8)
        let steps = Transcript(markdown: place.adapt(readme)).steps
        try #require(steps.contains { $0.staysInForeground } && steps.last?.input == .controlC)
        let server = try await LlamaServer.start(in: folder, port: place.serverPort)
        defer { server.signal(SIGKILL) }
        var terminals: [Terminal] = []
        for name in ["first", "second"] {
            terminals.append(
                try await Terminal(
                    in: checkout, environment: place.environment, log: folder.appendingPathComponent("\(name).log")))
        }
        do {
            for step in steps { try await take(step, first: terminals[0], second: terminals[1]) }
        } catch {
            for terminal in terminals { await terminal.close() }
            throw error
        }
        for terminal in terminals { await terminal.close() }
    }

    /// A command is typed into the first terminal, or into the second one while a command runs in the first.
    private func take(_ step: Transcript.Step, first: Terminal, second: Terminal) async throws {
        let terminal: Terminal
        let what: String
        switch step.input {
        case .command(let command):
            what = command
            terminal = try first.printed().status == nil ? second : first
            try terminal.type(command + "\n")
        case .controlC:
            what = "Ctrl-C"
            terminal = first
            try terminal.type(Terminal.controlC)
        }
        let (text, status) = try await eventually("\(what) prints what is shown", within: .seconds(90)) {
            let (text, status) = try terminal.printed()
            let isRunning = step.staysInForeground && text.contains(Transcript.running) && text.hasSuffix("\n")
            return status != nil || isRunning ? (text, status) : nil
        }
        guard try OutputShape(step.output).fits(text.replacing("^C", with: "")) else {
            throw CommandFailed(description: "\(what)\nprinted\n\(text)\nand README.md shows\n\(step.output)")
        }
        guard step.staysInForeground ? status == nil : status.map({ ($0 != 0) == step.fails }) ?? false else {
            let ended = status.map { "has ended with \($0)" } ?? "has not ended"
            throw CommandFailed(description: "\(what)\n\(ended)")
        }
    }

    /// What is committed, and what is about to be.
    private static func clone(to checkout: URL) async throws -> URL {
        try await run(
            "/bin/sh",
            [
                "-ec",
                """
                git clone --quiet "$1" "$2"
                git -C "$1" diff --binary HEAD | git -C "$2" apply --allow-empty
                mkdir "$2/.build"
                ln -s "$3" "$2/.build/release"
                """, "-", Paths.root.path, checkout.path, Paths.products.path,
            ])
        return checkout
    }

    /// Ports of its own for a README that names others, and the programs that the tests have built.
    private struct Place {
        let port: Int
        let simulatorPort: Int
        let serverPort: Int

        init() throws {
            port = try Ports.free()
            simulatorPort = try Ports.free()
            serverPort = try Ports.free()
        }

        func adapt(_ readme: String) -> String {
            readme.replacing("127.0.0.1:8400", with: "127.0.0.1:\(port)")
                .replacing("127.0.0.1:8500", with: "127.0.0.1:\(simulatorPort)")
                .replacing("127.0.0.1:8080", with: "127.0.0.1:\(serverPort)")
                .replacing(".rollcall/demo/", with: ".rollcall/demo-\(port)/")
                .replacing(".rollcall/run/", with: ".rollcall/run-\(port)/")
        }

        var environment: [String: String] {
            [
                "ROLLCALL_RUN_BIN": Paths.products.path, "ROLLCALL_PORT": "\(port)",
                "SIMULATOR_PORT": "\(simulatorPort)", "ROLLCALL_URL": "http://127.0.0.1:\(port)", "TERM": "dumb",
            ]
        }
    }

    @Test(arguments: [
        ("a  4 ms  2026-11-28T01:31:34.267Z  3\n", "a  120 ms  2026-01-02T03:04:05.678Z  12\n", true),
        ("a 1\n…\nb…e\n", "a 22\nb c d e\n", true),
        ("a 1\n…\nb\n", "a 22\nx\ny 1\nb\n", true),
        ("{\"id\":\"x…\n", "{\"id\":\"xyz\"}", true),
        ("", "", true),
        ("", "a\n", false),
        ("a\n", "", false),
        ("a\n", "a\nb\n", false),
        ("a\n…\nb\n", "a\nx\n", false),
        ("http://127.0.0.1:1 x\n", "http://127.0.0.1:2 x\n", false),
        ("online  3\n", "offline  3\n", false),
        ("a…\n", "a\nb\n", false),
    ])
    func aShapeFitsWhatDiffersInValuesOnly(shown: String, printed: String, fits: Bool) throws {
        #expect(try OutputShape(shown).fits(printed) == fits)
    }

    @Test func aDocumentsStepsAreWhatItsConsolesShow() {
        let steps = Transcript(
            markdown: """
                $ no
                ```
                $ no
                ```
                ```console
                $ one \\
                    --more
                error: x
                ```
                ```console
                $ two
                …
                Running; Ctrl-C stops it. Logs
                ^CStopped.
                ```
                """
        ).steps
        #expect(steps.map(\.input) == [.command("one \\\n    --more"), .command("two"), .controlC])
        #expect(steps.map(\.output) == ["error: x\n", "…\nRunning; Ctrl-C stops it. Logs\n", "Stopped.\n"])
        #expect(steps.map(\.fails) == [true, false, false])
        #expect(steps.map(\.staysInForeground) == [false, true, false])
    }
}
