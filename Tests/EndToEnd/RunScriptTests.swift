import Foundation
import Testing

/// `scripts/run`, with the programs that the tests have built.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct RunScriptTests {
    /// A port of the gateway, and so a deployment, of its own.
    private final class Place {
        let port: Int
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString).log")
        init() throws { port = try Ports.free() }

        var state: URL { Paths.root.appendingPathComponent(".rollcall/run-\(port)") }

        func start(_ settings: [String: String] = [:]) throws -> ChildProcess {
            let usual = ["ROLLCALL_RUN_BIN": Paths.products.path, "ROLLCALL_PORT": "\(port)"]
            return try ChildProcess(
                "run", executable: ChildProcess.unblocked.executable,
                arguments: ChildProcess.unblocked.arguments + [Paths.root.appendingPathComponent("scripts/run").path],
                environment: usual.merging(settings) { $1 }, log: log)
        }

        /// What a run that ends by itself says, and its exit code.
        func refused(_ settings: [String: String]) async throws -> (status: Int32, output: String) {
            let child = try start(settings)
            let status = await child.exitStatus()
            return (status, try child.output)
        }

        deinit {
            try? FileManager.default.removeItem(at: state)
            try? FileManager.default.removeItem(at: log)
        }
    }

    private static func simulator(port: Int, log: URL) throws -> ChildProcess {
        try ChildProcess(
            "simulator", executable: Paths.products.appendingPathComponent("rollcall-simulator"),
            arguments: ["--endpoints", "1", "--models", "1", "--host", "127.0.0.1", "--port", "\(port)"], log: log)
    }

    /// Or waits for its parent. The parent hears of it only when all that the process had started are gone as well.
    private static func isGone(_ process: pid_t) throws -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return status.contains(") Z ")
    }

    @Test(.timeLimit(.minutes(4)))
    func aRunSaysWhatItFoundAndEndsWithoutATrace() async throws {
        let place = try Place()
        let (simulatorPort, refusing) = (try Ports.free(), try Ports.free())
        let simulatorLog = place.log.appendingPathExtension("simulator")
        let simulator = try Self.simulator(port: simulatorPort, log: simulatorLog)
        defer { try? FileManager.default.removeItem(at: simulatorLog) }
        let endpoints = [
            "ENDPOINTS": "good=127.0.0.1:\(simulatorPort)/e/sim-0000,refuses=http://127.0.0.1:\(refusing)"
        ]
        let first = try place.start(endpoints)
        try await eventually("it runs", within: .seconds(90)) { try first.output.contains("Ctrl-C stops it") }
        let said = try first.output
        #expect(said.contains(#/\ngood +\S+ +online +1 /#))
        #expect(said.contains(#/\nrefuses .*\(connect_failed\)/#))
        #expect(said.contains("curl http://127.0.0.1:\(place.port)/v1/chat/completions"))

        let second = try Place()
        let refused = try await second.refused(["ROLLCALL_PORT": "\(place.port)"])
        #expect(refused.status == 1)
        #expect(
            refused.output == """
                It is already running (pid \(first.identifier), port \(place.port)). Stop it with Ctrl-C there, or set \
                ROLLCALL_PORT for another one.

                """)

        // The kernel frees the lock; the processes go on, and the next run ends them.
        first.signal(SIGKILL)
        try await eventually("the script is gone") { try Self.isGone(first.identifier) }
        let again = try place.start(endpoints)
        try await eventually("it runs again", within: .seconds(90)) { try again.output.contains("Ctrl-C stops it") }
        #expect(try again.output.hasPrefix("Stopping what an earlier run has left: it was killed.\n"))
        again.signal(SIGTERM)
        #expect(await again.exitStatus() == 0)
        #expect(try again.output.hasSuffix("Stopped.\n"))
        #expect(!FileManager.default.fileExists(atPath: place.state.appendingPathComponent("running").path))
        await simulator.stop()
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (["ROLLCALL_PORT": "x"], "ROLLCALL_PORT is \"x\". It must be a port, 1 to 65535.\n"),
            (
                ["ENDPOINTS": "http://10.0.0.5:8000"],
                "ENDPOINTS has \"http://10.0.0.5:8000\". It must be name=address, such as gpu1=http://10.0.0.5:8000.\n"
            ),
            (["ENDPOINTS": "a=x,a=y"], "ENDPOINTS has the name \"a\" twice.\n"),
            (["ENDPOINTS": "a=ftp://x"], "ENDPOINTS has \"ftp://x\" for a. It must be an http or https address.\n"),
            (
                ["ROLLCALL_AMQP_URL": "amqp://u:secret@127.0.0.1:1/"],
                "No broker answers at 127.0.0.1:1, which ROLLCALL_AMQP_URL names. Without that setting one is started "
                    + "here.\n"
            ),
            (
                ["ROLLCALL_ADMIN_KEY_FILE": "/none/key"],
                "ROLLCALL_ADMIN_KEY_FILE is \"/none/key\", which cannot be read.\n"
            ),
        ])
    func whatIsWrongIsSaidBeforeAnythingStarts(settings: [String: String], line: String) async throws {
        let (status, output) = try await Place().refused(settings)
        #expect(status == 1 && output == line, "\(output)")
    }

    @Test(.timeLimit(.minutes(1)))
    func aBrokersAddressComesFromAFileToo() async throws {
        let place = try Place()
        let file = place.log.appendingPathExtension("url")
        try Data(" amqp://u:secret@127.0.0.1:1/ \r\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let (status, output) = try await place.refused(["ROLLCALL_AMQP_URL_FILE": file.path])
        #expect(status == 1 && output.hasPrefix("No broker answers at 127.0.0.1:1, "), "\(output)")
    }

    /// An ordinary user, no sudo, and a package of dpkg's own list taken away. The scripts are copied to where that user may
    /// write.
    @Test(.timeLimit(.minutes(1)))
    func withoutRootThePackagesThatAreMissingAreNamed() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = try await run(
            "/bin/sh",
            [
                "-ec",
                """
                mkdir "$1" && chmod 755 "$1" && cd "$1" && mkdir dpkg dpkg/info dpkg/updates programs checkout
                sed '/^Package: rabbitmq-server$/,/^$/d; /^Package: openssl$/,/^$/d' /var/lib/dpkg/status >dpkg/status
                ln -s /usr/bin/* programs/ && rm -f programs/sudo programs/swift
                ln -s /bin/true programs/swift
                cp -r "$2" checkout/
                ordinary=
                if [ "$(id -u)" = 0 ]; then
                  chown -R nobody checkout
                  ordinary='setpriv --reuid nobody --clear-groups'
                fi
                $ordinary env DPKG_ADMINDIR="$1/dpkg" PATH="$1/programs" bash checkout/scripts/run 2>&1 || echo "exit code $?"
                """, "-", folder.path, Paths.scripts,
            ])
        #expect(
            output == """
                These Debian packages are missing, and sudo is not there to install them. As root:
                  apt-get update && apt-get install --no-install-recommends rabbitmq-server openssl
                Then, since no broker of the system's own is wanted:  systemctl disable --now rabbitmq-server
                After that run this again.
                exit code 1

                """)
    }

    @Test(.timeLimit(.minutes(1)))
    func aTakenPortIsNamed() async throws {
        let place = try Place()
        let simulatorLog = place.log.appendingPathExtension("simulator")
        let simulator = try Self.simulator(port: place.port, log: simulatorLog)
        defer { try? FileManager.default.removeItem(at: simulatorLog) }
        try await eventually("the simulator listens") {
            try await Server(base: "http://127.0.0.1:\(place.port)").get("/control/fleet").status == 200
        }
        let (status, output) = try await place.refused([:])
        #expect(status == 1 && output.hasPrefix("Port \(place.port) is taken"), "\(output)")
        await simulator.stop()
    }
}
