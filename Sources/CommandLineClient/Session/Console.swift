import Glibc

/// Where a command writes: answers to standard output, everything else to standard error.
struct Console: Sendable {
    /// To standard output, all of it. Throws `CommandFailure` if it cannot be written.
    let write: @Sendable ([UInt8]) throws(CommandFailure) -> Void
    /// To standard error, as it is.
    let remark: @Sendable (String) -> Void
    /// Whether someone wants to read what is going on.
    let showsProgress: Bool
    /// Whether standard output is a terminal.
    let isTerminal: Bool

    /// A line to standard error, without its end.
    func note(_ line: String) { remark(line + "\n") }

    func note(_ failure: CommandFailure) {
        note("error: \(failure)")
        if let hint = failure.hint { note(hint) }
    }

    func write(_ text: String) throws(CommandFailure) { try write(Array(text.utf8)) }

    func progress(_ line: String) {
        if showsProgress { note(HumanText.clean(line)) }
    }

    static func standard(isVerbose: Bool) -> Console {
        Console(
            write: { bytes throws(CommandFailure) in
                if let error = put(bytes, on: STDOUT_FILENO) {
                    throw CommandFailure(
                        .failure, "standard output cannot be written: \(String(cString: strerror(error)))",
                        code: CommandFailure.outputCode)
                }
            },
            // If standard error cannot be written, there is nowhere left to say so.
            remark: { _ = put(Array($0.utf8), on: STDERR_FILENO) },
            showsProgress: isVerbose || isatty(STDERR_FILENO) == 1, isTerminal: isatty(STDOUT_FILENO) == 1)
    }

    /// Writes all of it. Gives the `errno` of what made that impossible. If the reader of a pipe is gone, SIGPIPE has
    /// ended this process.
    static func put(_ bytes: [UInt8], on descriptor: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Another program that shares the descriptor made it non-blocking: wait until there is room.
                var descriptor = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&descriptor, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}

/// The command's time: how long it may take in all, and how it waits.
struct Timekeeper: Sendable {
    let limit: Duration
    let elapsed: @Sendable () -> Duration
    let pause: @Sendable (Duration) async throws -> Void

    var left: Duration { max(.zero, limit - elapsed()) }

    static func real(limit: Duration) -> Timekeeper {
        let clock = ContinuousClock()
        let start = clock.now
        return Timekeeper(
            limit: limit, elapsed: { clock.now - start }, pause: { try await clock.sleep(for: $0) })
    }
}
