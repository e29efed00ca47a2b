import Synchronization

/// Prints an answer as it comes. The answer goes to standard output and its reasoning to standard error, so that a pipe gets
/// the answer alone. Both begin at the start of a line. The last line is finished also if the answer breaks off.
final class ChatOutput: Sendable {
    private enum Place { case lineStart, answer, reasoning }

    private let console: Console
    private let state = Mutex((place: Place.lineStart, isOver: false))

    init(_ console: Console) { self.console = console }

    func answer(_ text: String) throws {
        try state.withLock { state in
            guard !state.isOver else { return }
            // Standard error has its own line end; a blank line is between the two at a terminal.
            if state.place == .reasoning { console.remark("\n\n") }
            // Another program gets the bytes as they are, a terminal only what cannot steer it.
            try console.write(console.isTerminal ? HumanText.cleanLines(text) : text)
            state.place = text.hasSuffix("\n") ? .lineStart : .answer
        }
    }

    func reasoning(_ text: String) throws {
        try state.withLock { state in
            guard !state.isOver else { return }
            if state.place == .answer { try console.write("\n") }
            if state.place != .reasoning { console.remark("reasoning: ") }
            console.remark(HumanText.cleanLines(text))
            state.place = .reasoning
        }
    }

    /// One event as it came.
    func event(_ data: [UInt8]) throws {
        try state.withLock { state in
            if !state.isOver { try console.write(data + [UInt8(ascii: "\n")]) }
        }
    }

    /// Ends a line that is not at its end.
    func finishLine() throws {
        try state.withLock { try finishLine(&$0.place) }
    }

    /// Ends the line, and prints nothing from now on: the process is about to end.
    func interrupt() {
        state.withLock { state in
            try? finishLine(&state.place)
            state.isOver = true
        }
    }

    private func finishLine(_ place: inout Place) throws {
        defer { place = .lineStart }
        switch place {
        case .lineStart: break
        case .answer: try console.write("\n")
        case .reasoning: console.remark("\n")
        }
    }
}
