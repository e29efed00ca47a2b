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

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (["--prot", "1"], 64, "--port"), (["--port", "eighty"], 78, "ROLLCALL_PORT"),
            (["--refresh-interval", "0"], 78, "ROLLCALL_REFRESH_INTERVAL"),
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
