import Foundation
import Synchronization
import Testing

/// A shell at a pseudo-terminal, to type into as a person does: its programs see a terminal, and Ctrl-C is a key.
final class Terminal: Sendable {
    static let controlC = "\u{3}"

    private let keyboard = Pipe()
    private let shell: ChildProcess
    /// The length of all output before the last keys.
    private let before = Mutex(0)

    /// Begin and end of the prompt; no program prints these. The exit code of the last command is between them.
    private static let prompt = (begin: "\u{1D}", end: "\u{1E}")

    /// - Parameters:
    ///   - folder: where the shell starts
    ///   - environment: the whole environment, but for `PATH` and `HOME`
    init(in folder: URL, environment: [String: String], log: URL) async throws {
        let settings = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME"].contains($0.key) }
            .merging(["LANG": "C.UTF-8", "PS1": "\(Self.prompt.begin)$?\(Self.prompt.end)", "PS2": ""]) { $1 }
            .merging(environment) { $1 }
        let command =
            ["env", "--ignore-environment", "--chdir=\(folder.path)"] + settings.map { "\($0.key)=\($0.value)" }
            + ["script", "--quiet", "--flush", "--command", "exec bash --noprofile --norc --noediting -i", "/dev/null"]
        shell = try ChildProcess(
            "terminal", executable: ChildProcess.unblocked.executable,
            arguments: ChildProcess.unblocked.arguments + command, input: keyboard, log: log)
        _ = try await finished("the shell has started")
        // Keys are not echoed, and lines end as programs end them.
        try type("stty -echo -onlcr\n")
        _ = try await finished("the terminal is set up")
    }

    func type(_ keys: String) throws {
        let length = try shell.output.utf8.count
        before.withLock { $0 = length }
        try keyboard.fileHandleForWriting.write(contentsOf: Data(keys.utf8))
    }

    /// What was printed since the last keys, and the command's exit code once the next prompt is there.
    func printed() throws -> (text: String, status: Int?) {
        let text = String(decoding: try shell.output.utf8.dropFirst(before.withLock { $0 }), as: UTF8.self)
        guard text.hasSuffix(Self.prompt.end), let begin = text.range(of: Self.prompt.begin, options: .backwards) else {
            return (text, nil)
        }
        return (String(text[..<begin.lowerBound]), Int(text[begin.upperBound...].dropLast()))
    }

    /// Waits for the next prompt.
    func finished(_ what: Comment, within limit: Duration = .seconds(60)) async throws -> (text: String, status: Int) {
        try await eventually(what, within: limit) {
            let (text, status) = try printed()
            return status.map { (text, $0) }
        }
    }

    /// Ends the command that still runs, and the shell.
    func close() async {
        do {
            if try printed().status == nil {
                try type(Self.controlC)
                _ = try await finished("the command has ended")
            }
            try type("exit\n")
            try await eventually("the shell has ended") { !shell.isRunning }
        } catch {
            // Its end is heard of only once all that it had started are gone as well.
            shell.signal(SIGKILL)
        }
    }
}
