import Foundation
import Testing

/// What the programs say of themselves.
struct ProgramTests {
    static let programs = ["rollcall-gateway", "rollcall-poller", "rollcall-registrar", "rollcall-simulator"]

    private func output(_ program: String, _ arguments: String...) async throws -> String {
        try await run(Paths.products.appendingPathComponent(program).path, arguments)
    }

    @Test(.timeLimit(.minutes(1)), arguments: programs)
    func helpAndVersion(program: String) async throws {
        #expect(try await output(program, "--help").contains("Usage: \(program)"))
        #expect(try await output(program, "--version").contains("0."))
        #expect(try await output(program, "--check-config").hasPrefix("configuration ok"))
    }

    /// Each setting of `--help`, with its default, has a row in the README.
    @Test(.timeLimit(.minutes(1)), arguments: programs.dropLast())
    func theReadmeHasEverySetting(program: String) async throws {
        let readme = try String(contentsOf: Paths.root.appendingPathComponent("README.md"), encoding: .utf8)
        let rows = readme.split(separator: "\n").filter { $0.hasPrefix("| `ROLLCALL_") }
        let settings = try await output(program, "--help").split(separator: "\n")
            .filter { $0.hasPrefix("      [ROLLCALL_") }
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " []")).components(separatedBy: "; ") }
        #expect(settings.count > 8)
        for setting in settings {
            let name = setting[0]
            if name.hasSuffix("_FILE"), settings.contains(where: { $0[0] + "_FILE" == name }) { continue }
            let row = try #require(rows.first { $0.hasPrefix("| `\(name)`") }, "\(name) is not in the README")
            for part in setting where part.hasPrefix("default ") {
                #expect(row.contains("`\(part.dropFirst("default ".count))`"), "default of \(name)")
            }
        }
    }

    /// All processes are often started with one environment. The simulator has the fewest settings in common with others.
    @Test(.timeLimit(.minutes(1)))
    func theSimulatorKnowsWhichSettingsAreOfOthers() async throws {
        var names: Set = ["ROLLCALL_URL", "ROLLCALL_API_KEY"]
        for program in Self.programs.dropLast() {
            names.formUnion(try await output(program, "--help").matches(of: /\[(ROLLCALL_\w+)/).map { String($0.1) })
        }
        let own = try await output("rollcall-simulator", "--help").matches(of: /\[(ROLLCALL_\w+)/).map { String($0.1) }
        names.subtract(own)
        #expect(names.count > 20)
        let (port, typo) = (try Ports.free(), "ROLLCALL_SIMULATOR_CHRUN")
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: log) }
        let simulator = try ChildProcess(
            "simulator", executable: Paths.products.appendingPathComponent("rollcall-simulator"),
            arguments: ["--host", "127.0.0.1", "--port", "\(port)"],
            environment: Dictionary(uniqueKeysWithValues: (names + [typo]).map { ($0, "x") }), log: log)
        try await eventually("the simulator listens") { try simulator.output.contains("Serving HTTP") }
        await simulator.stop()
        let warnings = try simulator.output.split(separator: "\n").filter { $0.contains("Unknown setting") }
        #expect(warnings.count == 1 && warnings.first?.contains("name=\(typo) ") == true, "\(warnings)")
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (["--prot", "1"], 64, "--port"), (["--port", "eighty"], 78, "ROLLCALL_PORT"),
            (["--drain-seconds", "-1"], 78, "ROLLCALL_DRAIN_SECONDS"),
            (["--host", "0.0.0.0"], 78, "ROLLCALL_ADMIN_KEY"), (["--secret-key", "short"], 78, "ROLLCALL_SECRET_KEY"),
        ] as [([String], Int32, String)])
    func wrongValuesEndTheProcessWithOneLine(arguments: [String], code: Int32, named: String) async throws {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("rollcall-\(UUID().uuidString).log")
        let child = try ChildProcess(
            "gateway", executable: Paths.products.appendingPathComponent("rollcall-gateway"), arguments: arguments,
            log: log)
        #expect(await child.exitStatus() == code)
        let lines = try child.output.split(separator: "\n")
        try FileManager.default.removeItem(at: log)
        #expect(lines.count == 1)
        #expect(lines.first?.contains(named) == true)
        #expect(lines.first?.contains("short") == false)
    }
}
