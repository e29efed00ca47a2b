import Foundation

/// A fenced code block of a Markdown document.
public struct MarkdownFence: Sendable, Hashable {
    /// The word behind the opening fence; empty without one.
    public let kind: String
    public let lines: [String]

    /// All of a document, in order.
    public static func all(in markdown: String) -> [MarkdownFence] {
        var fences: [MarkdownFence] = []
        var open: (kind: String, lines: [String])?
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let block = open.take() {
                    fences.append(MarkdownFence(kind: block.kind, lines: block.lines))
                } else {
                    open = (String(line.dropFirst(3)), [])
                }
            } else {
                open?.lines.append(String(line))
            }
        }
        return fences
    }

    /// The text of the repository's README.
    public static var readme: String {
        get throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            return try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        }
    }

    /// Of the repository's README.
    public static func ofReadme(kind: String) throws -> [MarkdownFence] {
        all(in: try readme).filter { $0.kind == kind }
    }
}
