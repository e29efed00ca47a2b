import Foundation
import Glibc

/// A child process that inherits nothing but its standard streams: a connection that a child has open too would not
/// close for the peer. Foundation's `Process` waits on a run loop, which tests on few threads may wait for in vain.
final class Subprocess {
    private let identifier: pid_t
    private let output: Int32
    private var isReaped = false

    struct Failed: Error { let command: String }

    /// `inputPath` is read as the standard input.
    init(_ arguments: [String], inputPath: String = "/dev/null") throws {
        var pipes: [Int32] = [-1, -1]
        guard pipe(&pipes) == 0 else { throw Failed(command: "pipe") }
        let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
        posix_spawn_file_actions_init(actions)
        posix_spawn_file_actions_addopen(actions, 0, inputPath, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(actions, pipes[1], 1)
        posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0)
        closeOthers(actions)
        var words = arguments.map { strdup($0) } + [nil]
        var identifier = pid_t()
        let result = posix_spawnp(&identifier, arguments[0], actions, nil, &words, environ)
        for word in words { free(word) }
        posix_spawn_file_actions_destroy(actions)
        actions.deallocate()
        Glibc.close(pipes[1])
        self.identifier = identifier
        output = pipes[0]
        guard result == 0 else {
            isReaped = true
            throw Failed(command: arguments[0])
        }
    }

    deinit {
        if !isReaped {
            kill(identifier, SIGKILL)
            _ = wait()
        }
        Glibc.close(output)
    }

    /// What it writes next; empty at the end.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = Glibc.read(output, &buffer, buffer.count)
        return Array(buffer[..<max(0, count)])
    }

    /// Waits for the end; true for status 0.
    func wait() -> Bool {
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        return status == 0
    }
}

/// `posix_spawn_file_actions_addclosefrom_np(actions, 3)`, which glibc declares in a mode that Swift does not set.
private func closeOthers(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>) {
    typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { return }
    _ = unsafeBitCast(symbol, to: Function.self)(actions, 3)
}

/// Runs a command to its end; gives what it wrote.
func run(_ arguments: [String], inputPath: String = "/dev/null") throws -> [UInt8] {
    let process = try Subprocess(arguments, inputPath: inputPath)
    var written: [UInt8] = []
    while true {
        let bytes = process.read()
        if bytes.isEmpty { break }
        written += bytes
    }
    guard process.wait() else { throw Subprocess.Failed(command: arguments[0]) }
    return written
}

/// `bytes` as gzip makes them.
func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(bytes).write(to: file)
    defer { unlink(file.path) }
    return try run(["gzip", "-9", "-c"], inputPath: file.path)
}
