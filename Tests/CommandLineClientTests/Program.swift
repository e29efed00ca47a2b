import Foundation
import TestSupport
import Testing

/// `rollcall` itself, as a process.
final class Program: Sendable {
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("rollcall").path

    private let process: Process
    private let output = Pipe()
    private let errors = Pipe()
    private let input = Pipe()

    /// - Parameters:
    ///   - text: on standard input, which ends behind it
    ///   - output: instead of a pipe
    ///   - terminal: instead of all three pipes
    init(
        _ arguments: [String], executable: String = Program.path, input text: String = "", output: FileHandle? = nil,
        terminal: Terminal? = nil, folder: URL? = nil
    ) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ROLLCALL_") }
        process.currentDirectoryURL = folder
        process.standardInput = terminal?.end ?? input.fileHandleForReading
        process.standardOutput = terminal?.end ?? output ?? self.output.fileHandleForWriting
        process.standardError = terminal?.end ?? errors.fileHandleForWriting
        try process.run()
        try input.fileHandleForReading.close()
        try self.output.fileHandleForWriting.close()
        try errors.fileHandleForWriting.close()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        if let terminal { try terminal.end.close() }
    }

    func interrupt() { process.interrupt() }

    /// The first bytes of standard output, as many as `text` has.
    func read(_ text: String) throws -> String {
        let data = try output.fileHandleForReading.read(upToCount: text.utf8.count) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Exit code, and what is left of standard output and standard error.
    func end() async throws -> (code: Int32, output: String, errors: String) {
        try await onThread { Result { try self.ended() } }.get()
    }

    private func ended() throws -> (code: Int32, output: String, errors: String) {
        let output = try self.output.fileHandleForReading.readToEnd() ?? Data()
        let errors = try self.errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self)
        )
    }
}

/// A pseudo-terminal: what a person at it sees and types.
final class Terminal: Sendable {
    private let person: FileHandle
    /// The program's end of it.
    let end: FileHandle

    init() throws {
        let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (lock, number): (Int32, UInt32) = (0, 0)
        // TIOCSPTLCK and TIOCGPTN: the module map has neither them nor the functions around them.
        try #require(descriptor >= 0 && ioctl(descriptor, 0x4004_5431, &lock) == 0)
        try #require(ioctl(descriptor, 0x8004_5430, &number) == 0)
        person = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        end = try #require(FileHandle(forUpdatingAtPath: "/dev/pts/\(number)"))
    }

    func type(_ text: String) throws { try person.write(contentsOf: Data(text.utf8)) }

    /// What is shown up to the next `text`, or to the end, line ends as programs write them.
    func read(until text: String? = nil) async -> String {
        await onThread { self.seen(until: text) }
    }

    private func seen(until text: String?) -> String {
        var seen = ""
        while text.map({ !seen.hasSuffix($0) }) ?? true {
            // At the end a pseudo-terminal gives an error.
            guard let byte = try? person.read(upToCount: 1), !byte.isEmpty else { break }
            // The terminal shows each line end as CR and LF.
            if byte != Data("\r".utf8) { seen += String(decoding: byte, as: UTF8.self) }
        }
        return seen
    }
}
