import Conventions

/// Values as people read them; nil stays nil, which tables show as `-`.
enum HumanText {
    /// `512 B`, `49 KiB`, `4.4 GiB`: three digits at most before the unit, one after the point below 10.
    static func bytes(_ count: Int64?) -> String? {
        guard let count, count >= 0 else { return nil }
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            // 1023.6 KiB would be shown as 1024 KiB: it is a mebibyte.
            if value.rounded() < 1024 || unit == "TiB" {
                return "\(unit == "B" ? String(count) : short(value)) \(unit)"
            }
            value /= 1024
        }
        return nil
    }

    /// `8.0B`, `124M`: in thousands, as parameters are counted.
    static func parameters(_ count: Int64?) -> String? {
        guard let count, count >= 0 else { return nil }
        var value = Double(count)
        for unit in ["", "K", "M", "B"] {
            if value < 999.5 || unit == "B" { return unit.isEmpty ? String(count) : short(value) + unit }
            value /= 1000
        }
        return nil
    }

    static func milliseconds(_ count: Int64?) -> String? { count.map { "\($0) ms" } }

    /// `a, b`; nil where there is none.
    static func list(_ texts: [String]) -> String? { texts.isEmpty ? nil : texts.joined(separator: ", ") }

    /// Without control characters: a model's name comes from a stranger, and must not steer the terminal.
    static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isHidden) else { return text }
        var clean = String.UnicodeScalarView()
        clean.append(contentsOf: text.unicodeScalars.map { $0.isHidden ? "?" : $0 })
        return String(clean)
    }

    /// Text of many lines, without what could steer the terminal. Format characters stay: emoji are made with them.
    static func cleanLines(_ text: String) -> String {
        var clean = String.UnicodeScalarView()
        clean.append(
            contentsOf: text.unicodeScalars.lazy.filter { $0 != "\r" }.map { scalar in
                scalar.properties.generalCategory != .control || scalar == "\n" || scalar == "\t" ? scalar : "?"
            })
        return String(clean)
    }

    /// `85 ms`, `1.4 s`, `23 s`.
    static func seconds(_ duration: Duration) -> String {
        duration < .seconds(1)
            ? "\(Int((duration / .milliseconds(1)).rounded())) ms" : "\(short(duration / .seconds(1))) s"
    }

    /// Two or three digits: `9.5`, `42`, `1250`.
    static func decimal(_ value: Double) -> String { short(value) }

    private static func short(_ value: Double) -> String {
        guard value < 9.95 else { return String(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
