import Conventions

/// Texts of others as messages show them: on one line, of a bearable length, and without characters that change how the
/// rest is shown.
public enum QuotedText {
    /// In quotes.
    public static func of(_ text: String, atMost limit: Int = 80) -> String {
        "\"" + plain(text, atMost: limit) + "\""
    }

    /// The first few, and how many more there are.
    public static func list(_ texts: [String], of count: Int? = nil) -> String {
        let limit = 12
        let count = count ?? texts.count
        let shown = texts.prefix(limit).map { of($0) }.joined(separator: ", ")
        return count > limit ? "\(shown), and \(count - min(limit, texts.count)) more" : shown
    }

    /// Without quotes.
    ///
    /// - Parameter limit: in Unicode scalars
    public static func plain(_ text: String, atMost limit: Int) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) { shown.append(isShown(scalar) ? scalar : "?") }
        return String(shown) + (text.unicodeScalars.dropFirst(limit).isEmpty ? "" : "…")
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .privateUse, .unassigned: false
        default: !scalar.isHidden
        }
    }
}
