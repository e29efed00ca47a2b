/// A table of settings as text: the help of a process and the tables of the README come from the same rows.
enum SettingsTable {
    /// `--help`.
    static func help(program: String, abstract: String, own: [Setting], common: [Setting]) -> String {
        """
        \(abstract)

        Usage: \(program) [--setting VALUE]...

        Each setting is an argument, an environment variable, or a key of the file given by --config
        (--log-level debug, ROLLCALL_LOG_LEVEL=debug, log_level: debug). The first of these that is given counts.

        \(own.isEmpty ? "" : "Settings of this process:\n\n\(rows(own))\n\n")Settings of all processes:

        \(rows(common))

        Other arguments:

          --check-config
              Check all settings, print those in effect, and exit.
          --version
              Print the version and exit.
          --help, -h
              Print this and exit.

        Exit codes: 0 stopped as asked, 64 wrong argument, 78 wrong setting, 1 failed.

        """
    }

    private static func rows(_ settings: [Setting]) -> String {
        settings.withSecretFiles.map { setting in
            var notes = [setting.name]
            if let value = setting.defaultValue { notes.append("default \(value)") }
            if setting.isSecret { notes.append("secret") }
            return """
                  \(setting.argument) \(setting.isFlag ? "[true|false]" : "<\(setting.kind)>")
                      \(setting.meaning)
                      [\(notes.joined(separator: "; "))]
                """
        }
        .joined(separator: "\n")
    }

    /// One line a setting, `NAME=value`, for `--check-config`. Secrets show only whether they are there.
    static func effective(_ settings: [Setting], in values: ProcessSettings) throws(SettingError) -> String {
        var lines: [String] = []
        for setting in settings {
            lines.append("\(setting.name)=\(try shownValue(setting, in: values))")
        }
        return lines.joined(separator: "\n")
    }

    private static func shownValue(_ setting: Setting, in values: ProcessSettings) throws(SettingError) -> String {
        if setting == CommonSettings.amqpURL {
            let urls = BrokerURL.list(try values.secret(setting) ?? "") ?? []
            return urls.map(BrokerURL.redacted).joined(separator: ",")
        }
        guard !setting.isSecret else { return try values.secret(setting) == nil ? "(not set)" : "(set)" }
        return try values.string(setting) ?? "(not set)"
    }
}
