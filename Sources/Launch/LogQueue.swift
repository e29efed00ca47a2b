import DequeModule

/// The log lines that wait to be written. Bounded: a reader that stands still must not fill the memory.
///
/// If the queue is full, the next lines are dropped and counted until half of it is written. A line that says how many
/// were dropped then takes their place in the order.
struct LogQueue {
    /// 10,000 lines of some 200 bytes are 2 MB: both bounds are met by floods only.
    var maximumLines = 10_000
    var maximumBytes = 4 << 20

    private var lines: Deque<String> = []
    private var bytes = 0
    private var dropped = 0
    /// Makes the line that says how many were dropped.
    private var notice: (@Sendable (Int) -> String)?
    /// Whether somebody takes the lines, and goes on until there are none.
    private(set) var isBeingWritten = false

    /// True if somebody has to begin to take the lines.
    mutating func append(_ line: String, notice: @escaping @Sendable (Int) -> String) -> Bool {
        if dropped == 0, lines.count < maximumLines, bytes + line.utf8.count <= maximumBytes {
            push(line)
        } else {
            dropped += 1
            self.notice = self.notice ?? notice
            tellDropped()
        }
        defer { isBeingWritten = true }
        return !isBeingWritten
    }

    /// The next line to write. nil if there is none: whoever took the lines then stops.
    mutating func next() -> String? {
        guard let line = lines.popFirst() else {
            isBeingWritten = false
            return nil
        }
        bytes -= line.utf8.count
        tellDropped()
        return line
    }

    private mutating func tellDropped() {
        guard dropped > 0, lines.count <= maximumLines / 2, bytes <= maximumBytes / 2 else { return }
        if let notice { push(notice(dropped)) }
        dropped = 0
        notice = nil
    }

    private mutating func push(_ line: String) {
        lines.append(line)
        bytes += line.utf8.count
    }
}
