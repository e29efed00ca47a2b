internal import Configuration

/// The values given by arguments, environment, and file, in this order, read with their types.
///
/// Each function gives the setting's default where no source has a value, and nil where there is no default either.
public struct ProcessSettings: Sendable {
    /// A name that nobody reads: most likely a typing mistake.
    struct UnknownName: Sendable, Equatable {
        let name: String
        /// `environment` or `file`.
        let source: String
        let nearest: String?
    }

    /// A source of values and how a setting is called in it.
    struct Source: Sendable {
        let values: any ConfigSnapshot
        let key: @Sendable (Setting) -> String
    }

    /// The first one that has a value wins.
    let sources: [Source]
    /// For the log, once there is one.
    let unknownNames: [UnknownName]

    /// As given, or the default.
    public func string(_ setting: Setting) throws(SettingError) -> String? {
        try given(setting) ?? setting.defaultValue
    }

    public func integer(_ setting: Setting, in range: ClosedRange<Int>) throws(SettingError) -> Int? {
        guard let text = try string(setting) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw wrong(setting, text, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Seconds with or without a fraction (`10`, `0.25`), to the millisecond.
    public func seconds(_ setting: Setting, in range: ClosedRange<Double>) throws(SettingError) -> Duration? {
        guard let text = try string(setting) else { return nil }
        guard let value = Double(text), range.contains(value) else {
            throw wrong(setting, text, "a number of seconds from \(range.lowerBound) to \(range.upperBound)")
        }
        return .milliseconds(Int64((value * 1000).rounded()))
    }

    public func bool(_ setting: Setting) throws(SettingError) -> Bool? {
        guard let text = try string(setting) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw wrong(setting, text, "true or false")
        }
    }

    /// One of a few words.
    public func choice(_ setting: Setting, of words: [String]) throws(SettingError) -> String? {
        guard let text = try string(setting) else { return nil }
        guard words.contains(text) else { throw wrong(setting, text, words.joined(separator: ", ")) }
        return text
    }

    /// The value, or the first line of the file named by `<name>_FILE`. Both given is an error: which one is meant?
    public func secret(_ setting: Setting) throws(SettingError) -> String? {
        let value = try given(setting)
        guard let file = setting.secretFile, let path = try given(file) else {
            return value ?? setting.defaultValue
        }
        guard value == nil else {
            throw SettingError(setting: setting.name, problem: "given twice, also by \(file.name); give one of them")
        }
        return try firstLine(of: path, setting: file)
    }

    /// What the sources say, without the default; nil where it is absent or empty.
    func given(_ setting: Setting) throws(SettingError) -> String? {
        for source in sources {
            let key = AbsoluteConfigKey([source.key(setting)])
            if let text = try Self.text(key, in: source.values, setting: setting), !text.isEmpty { return text }
        }
        return nil
    }

    /// A list counts as its items joined by commas: YAML has lists, and the argument provider splits at commas.
    private static func text(
        _ key: AbsoluteConfigKey, in values: any ConfigSnapshot, setting: Setting
    ) throws(SettingError) -> String? {
        if let result = try? values.value(forKey: key, type: .string) {
            guard case .string(let text)? = result.value?.content else { return nil }
            return text
        }
        do {
            let result = try values.value(forKey: key, type: .stringArray)
            guard case .stringArray(let items)? = result.value?.content else { return nil }
            return items.joined(separator: ",")
        } catch {
            throw SettingError(setting: setting.name, problem: "must be one value or a list of values")
        }
    }

    /// The error for a value of `setting`; hides it if it is a secret.
    func wrong(_ setting: Setting, _ value: String, _ allowed: String) -> SettingError {
        SettingError(setting: setting.name, value: setting.isSecret ? nil : value, allowed: allowed)
    }
}
