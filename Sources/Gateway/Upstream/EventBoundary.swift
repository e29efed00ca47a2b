/// Follows a stream of server-sent events (HTML standard, section 9.2.6) and knows the places between two events: at the
/// start of a line, if the current event has no field line yet. There, another event can be put in.
///
/// In a stream of JSON lines each line is an event.
struct EventBoundary: Sendable {
    private enum Place: UInt8 {
        case lineStart
        case comment
        case fieldLine
        /// Behind a CR. A LF that follows belongs to the same line end.
        case afterReturn
    }

    private var place = Place.lineStart
    /// Whether the current event has a field line, be it incomplete. In a stream of lines: whether a line is incomplete.
    private var hasField = false
    private let isOfLines: Bool

    /// - Parameter isOfLines: the stream is one of lines, not of server-sent events
    init(isOfLines: Bool = false) { self.isOfLines = isOfLines }

    var isBetweenEvents: Bool { place == .lineStart && !hasField }

    /// Whether no event is lost if the stream ends here. A comment may be incomplete.
    var isCompleteAtEnd: Bool { !hasField }

    /// Follows `bytes[range]`. Returns the largest offset in it, from its start to its end, that lies between events.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        if isOfLines { return scanLines(bytes, range) }
        let end = range.upperBound
        // An empty line at the end is the usual case. It ends an event wherever the range began.
        if range.count >= 2, bytes[end - 1] == .lineFeed,
            bytes[end - 2] == .lineFeed
                || (range.count >= 3 && bytes[end - 2] == .carriageReturn && bytes[end - 3] == .lineFeed)
        {
            (place, hasField) = (.lineStart, false)
            return end
        }
        return walk(bytes, range)
    }

    private mutating func scanLines(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard let last = range.last else { return nil }
        hasField = bytes[last] != .lineFeed
        return bytes[range].lastIndex(of: .lineFeed).map { $0 + 1 }
    }

    private mutating func walk(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var last: Int?
        var index = range.lowerBound
        while index < range.upperBound {
            if place == .afterReturn {
                place = .lineStart
                if bytes[index] == .lineFeed { index += 1 }
                if !hasField { last = index }
                continue
            }
            if place == .lineStart, bytes[index] != .lineFeed, bytes[index] != .carriageReturn {
                place = bytes[index] == .colon ? .comment : .fieldLine
                hasField = hasField || place == .fieldLine
            }
            guard let end = bytes.firstLineBreak(in: index..<range.upperBound) else { break }
            if place == .lineStart { hasField = false }
            place = bytes[end] == .lineFeed ? .lineStart : .afterReturn
            index = end + 1
            if isBetweenEvents { last = index }
        }
        return last
    }
}
