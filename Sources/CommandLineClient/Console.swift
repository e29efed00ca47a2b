import Glibc

/// Where a command writes: answers to standard output, everything else to standard error.
struct Console: Sendable {
    let write: @Sendable ([UInt8]) -> Void
    /// A line, without its end.
    let note: @Sendable (String) -> Void
    /// Whether someone wants to read what is going on.
    let showsProgress: Bool

    func write(_ text: String) { write(Array(text.utf8)) }

    func progress(_ line: String) {
        if showsProgress { note(HumanText.clean(line)) }
    }

    static func standard(isVerbose: Bool) -> Console {
        Console(
            write: { put($0, on: STDOUT_FILENO) }, note: { put(Array(($0 + "\n").utf8), on: STDERR_FILENO) },
            showsProgress: isVerbose || isatty(STDERR_FILENO) == 1)
    }

    private static func put(_ bytes: [UInt8], on descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A reader that is gone has ended this process already (SIGPIPE); nobody is left to be told of other errors.
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
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
