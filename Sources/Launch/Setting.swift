/// One setting of a process: one row of the README's table and of `--help`.
///
/// It can be given in three places, the first of which wins: as an argument (`--poll-interval 5`), in the environment
/// (`ROLLCALL_POLL_INTERVAL=5`), and in the file of `--config` (`poll_interval: 5`). An empty value counts as not given.
public struct Setting: Sendable, Hashable {
    /// `ROLLCALL_…`; the argument is the same in lower case with dashes and without the prefix (`--amqp-url`).
    public var name: String
    /// What the value is, as shown in the help: `integer`, `seconds`, `text`, `path`, … A setting whose kind begins
    /// with `bool` may stand as an argument without a value, which means `true`.
    public var kind: String
    /// Taken where none is given; nil where the setting is then off.
    public var defaultValue: String?
    /// One sentence for the help and the README.
    public var meaning: String
    /// Its value is never shown. It may come from a file as well: `<name>_FILE`.
    public var isSecret: Bool
    /// The start of `name` that the argument and the file key leave out.
    public var prefix: String

    public init(
        name: String, kind: String, defaultValue: String? = nil, meaning: String, isSecret: Bool = false,
        prefix: String = Setting.commonPrefix
    ) {
        precondition(name.hasPrefix(prefix), "a setting's name begins with its prefix")
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.meaning = meaning
        self.isSecret = isSecret
        self.prefix = prefix
    }

    /// What all names of the environment begin with.
    public static let commonPrefix = "ROLLCALL_"

    /// `poll_interval`: its key in the configuration file.
    public var fileKey: String { name.dropFirst(prefix.count).lowercased() }

    /// `--poll-interval`.
    public var argument: String { "--" + argumentKey }

    var argumentKey: String { String(fileKey.map { $0 == "_" ? "-" : $0 }) }

    var isFlag: Bool { kind.hasPrefix("bool") }

    /// The setting that names a file holding this secret.
    var secretFile: Setting? {
        guard isSecret else { return nil }
        return Setting(
            name: name + "_FILE", kind: "path", meaning: "File whose first line is \(name).", prefix: prefix)
    }
}

extension [Setting] {
    /// With the `_FILE` companions of the secrets, each after its secret.
    var withSecretFiles: [Setting] {
        flatMap { setting in [setting] + (setting.secretFile.map { [$0] } ?? []) }
    }
}
