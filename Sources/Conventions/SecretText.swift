/// How a file with a secret is read: the processes' `…_FILE` settings and the command line's `--…-file` options.
public enum SecretText {
    /// The first line that is not empty, without the white space around it; nil if nothing is left of it.
    ///
    /// Editors and `echo` leave a line end behind, Windows a carriage return, and copying often a blank. None of them is
    /// part of a key, and an HTTP header must not hold them.
    public static func firstLine(of text: String) -> String? {
        let line = text.split(whereSeparator: \.isNewline).first ?? ""
        let trimmed = String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        return trimmed.isEmpty ? nil : trimmed
    }
}
