internal import Configuration
internal import Conventions
internal import FoundationEssentials
internal import Synchronization

extension ProcessSettings {
    /// Where a file of settings is named.
    static let configFile = Setting(
        name: "ROLLCALL_CONFIG", kind: "path",
        meaning: "YAML or JSON file with settings, named in lower case without the prefix: `log_level: debug`.")

    /// Values of the environment alone: for tests, and for processes embedded in others.
    public init(environment: [String: String]) {
        self.init(sources: [Self.environmentSource(environment)], unknownNames: [])
    }

    /// All sources.
    ///
    /// - Parameters:
    ///   - line: the arguments, already checked against `known`
    ///   - known: all settings that the process reads, with the companions of its secrets
    /// - Throws: where the file of `--config` cannot be used
    init(line: ArgumentLine, environment: [String: String], known: [Setting]) throws(SettingError) {
        let arguments = CommandLineArgumentsProvider(arguments: [""] + line.values)
        let direct = [
            Source(values: arguments.snapshot(), key: { $0.argumentKey }), Self.environmentSource(environment),
        ]
        let first = ProcessSettings(sources: direct, unknownNames: Self.unknown(in: environment, known: known))
        guard let path = try first.string(Self.configFile) else {
            self = first
            return
        }
        let file = try SettingsFile(path: path)
        self.init(
            sources: direct + [Source(values: file.values, key: { $0.fileKey })],
            unknownNames: first.unknownNames + Self.unknown(in: file, known: known))
    }

    private static func environmentSource(_ environment: [String: String]) -> Source {
        let provider = EnvironmentVariablesProvider(environmentVariables: environment)
        return Source(values: provider.snapshot(), key: { $0.name })
    }

    private static func unknown(in environment: [String: String], known: [Setting]) -> [UnknownName] {
        let names = Set(known.map(\.name))
        return environment.keys.sorted()
            .filter {
                $0.hasPrefix(Setting.commonPrefix) && !names.contains($0) && !KnownNames.isOthers($0, than: known)
            }
            .map { name in
                UnknownName(name: name, source: "environment", nearest: EditDistance.nearest(to: name, among: names))
            }
    }

    private static func unknown(in file: SettingsFile, known: [Setting]) -> [UnknownName] {
        let names = Set(known.map(\.fileKey))
        return file.keys.sorted()
            .filter { !names.contains($0) && !KnownNames.fileKeys.contains($0) }
            .map { UnknownName(name: $0, source: "file", nearest: EditDistance.nearest(to: $0, among: names)) }
    }

    /// The secret that a file holds.
    func firstLine(of path: String, setting: Setting) throws(SettingError) -> String {
        guard let line = SecretText.firstLine(of: try Self.readFile(path, setting: setting)) else {
            throw SettingError(setting: setting.name, problem: "\(path) is empty")
        }
        return line
    }

    private static func readFile(_ path: String, setting: Setting) throws(SettingError) -> String {
        do {
            return try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw SettingError(setting: setting.name, problem: "cannot read \(path) as UTF-8 text")
        }
    }
}

/// The file of `--config`: a YAML mapping of settings. JSON is read by the same parser, being a subset of YAML.
private struct SettingsFile {
    let values: any ConfigSnapshot
    /// All keys of the file.
    let keys: Set<String>

    init(path: String) throws(SettingError) {
        let name = ProcessSettings.configFile.name
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw SettingError(setting: name, problem: "cannot read \(path)")
        }
        // A snapshot does not list its keys, but it asks for each of them whether it is secret.
        let keyCollector = KeyCollector()
        do {
            values = try YAMLSnapshot(
                data: data.bytes, providerName: path,
                parsingOptions: .init(
                    secretsSpecifier: .dynamic { key, _ in
                        keyCollector.insert(key)
                        return true
                    }))
        } catch {
            // The first line is the position and the reason; the lines after it quote the file, which holds secrets.
            let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? ""
            throw SettingError(setting: name, problem: "\(path) is not a YAML or JSON mapping: \(reason)")
        }
        keys = keyCollector.keys
    }
}

/// The keys of a file, noted from a closure that must be sendable.
private final class KeyCollector: Sendable {
    private let noted = Mutex<Set<String>>([])
    func insert(_ key: String) { noted.withLock { _ = $0.insert(key) } }
    var keys: Set<String> { noted.withLock { $0 } }
}
