import Conventions

/// What the arguments, the environment, and the file of a process come to, before anything is done.
enum LaunchPlan<Process: RollcallProcess> {
    /// Print to standard output and exit with 0.
    case print(String)
    /// Print one line to standard error and exit with the code.
    case refuse(code: Int32, line: String)
    case run(Process, ProcessSettings, CommonSettings)

    init(arguments: [String], environment: [String: String]) {
        do {
            let known = (Process.settings + Process.commonSettings).withSecretFiles
            let line = try ArgumentLine(arguments, settings: known)
            switch line.request {
            case .help: self = .print(Self.help)
            case .version: self = .print("\(Process.program) \(rollcallVersion)\n")
            case .checkConfig, .run: self = try Self.checked(line, environment, known)
            }
        } catch let error as ArgumentLine.UsageError {
            self = .refuse(code: ProcessExit.usage, line: "\(error.message) (--help lists all arguments)")
        } catch let exit as ProcessExit {
            self = .refuse(code: exit.code, line: exit.message)
        } catch {
            // Up to here only values have been read: whatever is wrong is wrong with them.
            self = .refuse(code: ProcessExit.configuration, line: "\(error)")
        }
    }

    private static func checked(
        _ line: ArgumentLine, _ environment: [String: String], _ known: [Setting]
    ) throws -> LaunchPlan {
        let settings = try ProcessSettings(line: line, environment: environment, known: known)
        let common = try CommonSettings(settings: settings, role: Process.role, usesBroker: Process.usesBroker)
        let process = try Process(settings: settings, common: common)
        guard line.request == .checkConfig else { return .run(process, settings, common) }
        let shown = try SettingsTable.effective(Process.settings + Process.commonSettings, in: settings)
        let warnings = settings.unknownNames.map { unknown in
            "warning: \(unknown.name) in the \(unknown.source) is unknown\(unknown.nearest.map { "; did you mean \($0)?" } ?? "")\n"
        }
        return .print("configuration ok\n\(warnings.joined())\(shown)\n")
    }

    private static var help: String {
        SettingsTable.help(
            program: Process.program, abstract: Process.abstract, own: Process.settings, common: Process.commonSettings)
    }
}
