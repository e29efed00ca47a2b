import Foundation
import TestSupport
import Testing

/// Every command of README.md. Those of its `console` blocks are typed into two terminals, as a newcomer does who has just
/// cloned the repository.
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

    /// The queues are made in a virtual host of the tests' broker, where no other test is.
    private func follow(in folder: URL) async throws {
        let broker = try #require(TestBroker.shared)
        let host = "readme-\(UInt32.random(in: 0...UInt32.max))"
        try await broker.control("add_vhost", host)
        do {
            try await broker.control("set_permissions", "-p", host, "guest", ".*", ".*", ".*")
            try await follow(in: folder, broker, virtualHost: host)
        } catch {
            try await broker.control("delete_vhost", host)
            throw error
        }
        try await broker.control("delete_vhost", host)
    }

    private func follow(in folder: URL, _ broker: TestBroker, virtualHost: String) async throws {
        let checkout = try await Self.clone(in: folder, broker, virtualHost: virtualHost)
        let place = try Place(broker, virtualHost: virtualHost, programs: folder.appendingPathComponent("bin"))
        let readme = try String(contentsOf: checkout.appendingPathComponent("README.md"), encoding: .utf8)
        let steps = Transcript(MarkdownFence.all(in: place.adapt(readme))).steps
        try #require(steps.count { $0.staysInForeground } == steps.count { $0.input == .controlC })
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

    /// A clone of what is committed and what is about to be. Its origin then gets a commit more, which is the upgrade.
    /// `rabbitmqctl` asks the tests' broker: Debian's own asks that of the system, and lets only root do so.
    private static func clone(in folder: URL, _ broker: TestBroker, virtualHost: String) async throws -> URL {
        try await run(
            "/bin/sh",
            [
                "-ec",
                """
                cd "$1"
                git clone --quiet --bare "$2" origin.git
                git clone --quiet origin.git source
                git -C source checkout --quiet -B main
                git -C "$2" diff --binary HEAD | git -C source apply --index --allow-empty
                commit() { git -C source -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty -m "$1"; }
                commit 'What is about to be committed'
                git -C source push --quiet --force origin main
                git clone --quiet --branch main origin.git checkout
                commit 'A newer version'
                git -C source push --quiet origin main
                mkdir checkout/.build bin
                ln -s "$3" checkout/.build/release
                printf '#!/bin/sh\\nexec bash "%s" ctl "%s" -p %s "$@"\\n' "$4" "$5" "$6" >bin/rabbitmqctl
                chmod 755 bin/rabbitmqctl
                """, "-", folder.path, Paths.root.path, Paths.products.path, Paths.scripts + "/broker", broker.folder,
                virtualHost,
            ])
        return folder.appendingPathComponent("checkout")
    }

    /// Ports of its own for a README that names others, and the programs that the tests have built.
    private struct Place {
        let port: Int
        let simulatorPort: Int
        let serverPort: Int
        /// Host and port.
        let broker: String
        let virtualHost: String
        /// Comes before all other folders in PATH.
        let programs: URL

        init(_ broker: TestBroker, virtualHost: String, programs: URL) throws {
            self.broker = "127.0.0.1:\(broker.port)"
            self.virtualHost = virtualHost
            self.programs = programs
            port = try Ports.free()
            simulatorPort = try Ports.free()
            serverPort = try Ports.free()
        }

        func adapt(_ readme: String) -> String {
            readme.replacing("127.0.0.1:8400", with: "127.0.0.1:\(port)")
                .replacing("127.0.0.1:8500", with: "127.0.0.1:\(simulatorPort)")
                .replacing("127.0.0.1:8080", with: "127.0.0.1:\(serverPort)")
                .replacing("127.0.0.1:5672/", with: "127.0.0.1:5672/\(virtualHost)")
                .replacing("127.0.0.1:5672", with: broker)
                .replacing(#/\.rollcall\/(demo|run)\b/#) { "\($0.0)-\(port)" }
        }

        var environment: [String: String] {
            [
                "ROLLCALL_RUN_BIN": Paths.products.path, "ROLLCALL_PORT": "\(port)",
                "SIMULATOR_PORT": "\(simulatorPort)", "ROLLCALL_URL": "http://127.0.0.1:\(port)", "TERM": "dumb",
                "PATH": programs.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
            ]
        }
    }

    @Test(arguments: [
        ("a  4 ms  2026-11-28T01:31:34.267Z  3\n", "a  120 ms  2026-01-02T03:04:05.678Z  12\n", true),
        ("a 1\n…\nb…e\n", "a 22\nb c d e\n", true),
        ("a 1\n…\nb\n", "a 22\nx\ny 1\nb\n", true),
        ("{\"id\":\"x…\n", "{\"id\":\"xyz\"}", true),
        ("a 3\nb\n", "a 1\ra 2\ra 3\nb\n", true),
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

    /// Kinds of blocks whose commands another test holds to what there is: `ReadmeRouteTests` asks a gateway for the routes,
    /// and the command line's `ReadmeTests` asks the program for the help of each command.
    private static let checkedElsewhere: Set = ["http", "synopsis"]

    @Test func eachBlockIsTypedOrCheckedInAnotherWay() throws {
        let readme = try MarkdownFence.readme
        for fence in MarkdownFence.all(in: readme) {
            switch fence.kind {
            case "console": #expect(fence.lines.first.map { $0.hasPrefix("$ ") || $0.hasPrefix("^C") } == true)
            case "docker": try checkDocker(fence.lines)
            case _ where Self.checkedElsewhere.contains(fence.kind): continue
            default: Issue.record("nothing checks the block \(fence)")
            }
        }
    }

    /// No test has a container engine. What the commands name is there, and the rest of the section starts services that are.
    private func checkDocker(_ lines: [String]) throws {
        let compose = try String(contentsOf: Paths.root.appendingPathComponent("deploy/compose.yaml"), encoding: .utf8)
        let readme = try MarkdownFence.readme
        for line in lines {
            let commands = line.replacing(#/[()]/#, with: "").split(separator: "&&").map { $0.split(separator: " ") }
            for command in commands {
                switch command.prefix(2) {
                case ["docker", "build"]:
                    let file = try #require(command.firstIndex(of: "-f").map { String(command[$0 + 1]) })
                    #expect(FileManager.default.fileExists(atPath: Paths.root.appendingPathComponent(file).path))
                    let tag = try #require(command.firstIndex(of: "-t").map { String(command[$0 + 1]) })
                    #expect(compose.contains("image: ${ROLLCALL_IMAGE:-\(tag):latest}"))
                case ["cd", "deploy"]: continue
                case ["docker", "compose"]: #expect(command.dropFirst(2) == ["up", "--detach"])
                default: Issue.record("\(line) is no command of a container engine")
                }
            }
        }
        let scaled = readme.matches(of: #/--scale ([a-z]+)=/#).map { String($0.1) }
        #expect(!scaled.isEmpty)
        for service in scaled { #expect(compose.contains("\n  \(service):\n"), "\(service)") }
    }

    @Test func aDocumentsStepsAreWhatItsConsolesShow() {
        let steps = Transcript(
            MarkdownFence.all(
                in: """
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
                    """)
        ).steps
        #expect(steps.map(\.input) == [.command("one \\\n    --more"), .command("two"), .controlC])
        #expect(steps.map(\.output) == ["error: x\n", "…\nRunning; Ctrl-C stops it. Logs\n", "Stopped.\n"])
        #expect(steps.map(\.fails) == [true, false, false])
        #expect(steps.map(\.staysInForeground) == [false, true, false])
    }
}
