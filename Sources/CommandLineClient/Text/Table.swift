/// Columns under their titles, two spaces apart; plain text, so that it can be piped.
struct Table: Sendable {
    enum Alignment: Sendable { case left, right }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    /// A title that begins with `>` is that of a column of numbers, aligned to the right.
    init(_ titles: [String]) {
        columns = titles.map { title in
            title.hasPrefix(">") ? (String(title.dropFirst()), .right) : (title, .left)
        }
    }

    /// nil is shown as `-`: not known.
    mutating func add(_ cells: [String?]) {
        rows.append(cells.map { HumanText.clean($0 ?? "-") })
    }

    var text: String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { Self.line($0, widths, columns.map(\.alignment)) + "\n" }.joined()
    }

    private static func line(_ cells: [String], _ widths: [Int], _ alignments: [Alignment]) -> String {
        let padded = cells.indices.map { index in
            let padding = String(repeating: " ", count: widths[index] - cells[index].count)
            return alignments[index] == .left ? cells[index] + padding : padding + cells[index]
        }
        // Nothing follows the last column, and trailing spaces would break lines of narrow terminals.
        let line = padded.joined(separator: "  ")
        return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
    }
}

/// One record: a name and a value a line.
struct FieldList: Sendable {
    private var fields: [(name: String, value: String)] = []

    /// nil is shown as `-`: not known.
    mutating func add(_ name: String, _ value: String?) {
        fields.append((name, HumanText.clean(value ?? "-")))
    }

    var text: String {
        let width = fields.map(\.name.count).max() ?? 0
        return fields.map { field in
            field.name + String(repeating: " ", count: width - field.name.count) + "  " + field.value + "\n"
        }.joined()
    }
}
