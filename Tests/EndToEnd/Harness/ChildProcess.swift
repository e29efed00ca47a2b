import Foundation
import Synchronization

/// A program of ours, or of the tests, as a real process. What it prints goes to a file, which a failing test names.
final class ChildProcess: Sendable {
    let name: String
    let log: URL
    let identifier: pid_t
    private let state: Mutex<State>

    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    /// Begins a command line that runs with no signal blocked. Threads of the tests block signals, and a child has the mask
    /// of its thread: a shell would never hear of SIGINT.
    static let unblocked = (
        executable: URL(fileURLWithPath: "/usr/bin/perl"),
        arguments: ["-MPOSIX", "-e", "sigprocmask(SIG_SETMASK, POSIX::SigSet->new); exec @ARGV"]
    )

    /// - Parameters:
    ///   - environment: added to the tests' own, in which no ROLLCALL_… setting is passed on
    ///   - input: its standard input; empty without one
    init(
        _ name: String, executable: URL, arguments: [String] = [], environment: [String: String] = [:],
        input: Pipe? = nil, log: URL
    ) throws {
        self.name = name
        self.log = log
        state = Mutex(State())
        guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
            throw CommandFailed(description: "cannot write \(log.path)")
        }
        let output = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("ROLLCALL_") }
            .merging(environment) { $1 }
            // A tracer of a crashed process keeps its end from being noticed, for ever where it hangs.
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardInput = (input as Any?) ?? FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let ended = Ended()
        process.terminationHandler = { process in
            ended.report(
                process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus)
        }
        try process.run()
        identifier = process.processIdentifier
        ended.deliver(to: { [weak self] status in self?.finished(status) })
    }

    /// Joins the termination handler, which may run before `init` is done, with the finished object.
    private final class Ended: Sendable {
        private let state = Mutex<(status: Int32?, handler: (@Sendable (Int32) -> Void)?)>((nil, nil))

        func report(_ status: Int32) {
            let handler = state.withLock { state in
                state.status = status
                return state.handler
            }
            handler?(status)
        }

        func deliver(to handler: @escaping @Sendable (Int32) -> Void) {
            let status = state.withLock { state in
                state.handler = handler
                return state.status
            }
            if let status { handler(status) }
        }
    }

    private func finished(_ status: Int32) {
        let waiters = state.withLock { state in
            guard state.status == nil else { return [CheckedContinuation<Int32, Never>]() }
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    var isRunning: Bool { state.withLock { $0.status == nil } }

    /// The exit code, or the number of the signal that ended it, negative.
    func exitStatus() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state -> Int32? in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    func signal(_ number: Int32) {
        if isRunning { kill(identifier, number) }
    }

    /// SIGTERM, and the exit code that it ends with; SIGKILL where that takes over 15 s.
    @discardableResult
    func stop() async -> Int32 {
        signal(SIGTERM)
        let watchdog = Task {
            try await Task.sleep(for: .seconds(15))
            signal(SIGKILL)
        }
        defer { watchdog.cancel() }
        return await exitStatus()
    }

    @discardableResult
    func killNow() async -> Int32 {
        signal(SIGKILL)
        return await exitStatus()
    }

    var output: String {
        get throws { try String(contentsOf: log, encoding: .utf8) }
    }

    /// Descriptors, threads, and resident memory in bytes, from /proc.
    var resources: (descriptors: Int, threads: Int, memory: Int) {
        get throws {
            let folder = "/proc/\(identifier)"
            let pages = try String(contentsOfFile: "\(folder)/statm", encoding: .utf8).split(separator: " ")
            return (
                try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd").count,
                try FileManager.default.contentsOfDirectory(atPath: "\(folder)/task").count,
                (Int(pages[1]) ?? 0) * 4096
            )
        }
    }
}
