import ArgumentParser
import Conventions
import Foundation
import TestSupport
import Testing

@testable import CommandLineClient

/// The program itself, as a process.
@Suite("rollcall", .timeLimit(.minutes(1)))
struct ProgramTests {
    @Test("Help, version, and exit codes")
    func codes() async throws {
        let help = try await Program(["--help"]).end()
        #expect(help.code == 0 && help.output.contains("USAGE: rollcall") && help.output.contains("Exit codes:"))
        #expect(try await Program(["--version"]).end().output == "\(rollcallVersion)\n")
        #expect(try await Program(["version"]).end().output == "\(rollcallVersion)\n")
        let near = try await Program(["--json", "endpoint", "list"]).end()
        #expect(near.code == 64 && near.output.isEmpty)
        #expect(
            near.errors.hasPrefix(
                "Error: There is no command 'rollcall endpoint'. Did you mean 'rollcall endpoints list --json'?\n"))
        let option = try await Program(["models", "register", "a/b", "--quantisation", "Q8_0"]).end()
        #expect(option.code == 64 && option.errors.contains("Did you mean '--quantization'?"))
        let away = try await Program(["models", "list", "--url", "http://127.0.0.1:1"]).end()
        #expect(away.code == 69 && away.output.isEmpty)
        #expect(
            away.errors.hasPrefix("error: http://127.0.0.1:1: ")
                && away.errors.contains("(connect_failed)\nIs a gateway running at"))
    }

    @Test("An http server that is asked for https")
    func plainServer() async throws {
        let server = RawServer { connection in
            _ = connection.read(1)
            connection.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            _ = connection.readHead()  // until the program is gone
        }
        let url = "https://127.0.0.1:\(server.port)"
        let ended = try await Program(["models", "list", "--url", url]).end()
        #expect(ended.code == 69 && ended.output.isEmpty)
        #expect(
            ended.errors == """
                error: \(url): this address speaks http, not https (tls_failed)
                Try \(server.url)

                """)
    }

    @Test("A full disk is a failure that says so")
    func fullDisk() async throws {
        let gateway = StubGateway { _ in .json(#"{"id":"3f","key":"rc_abc"}"#, status: 201) }
        let ended = try await gateway.serve { url in
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let arguments = ["keys", "create", "laptop", "--scope", "models", "--url", url]
            return try await Program(arguments, output: full).end()
        }
        #expect(ended.code == 1)
        #expect(
            ended.errors == """
                error: standard output cannot be written: No space left on device (output_failed)
                The key was made, but nobody has it now. Revoke it: rollcall keys revoke 3f

                """)
    }

    @Test("Ctrl-C at an operation says how to go on")
    func interruption() async throws {
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let gateway = StubGateway { _ in
            ask.yield()
            return .json(#"{"state":"pending"}"#)
        }
        let ended = try await gateway.serve { url in
            let program = try Program(["operations", "watch", "op-1", "--url", url])
            _ = await asked.first { _ in true }
            program.interrupt()
            return try await program.end()
        }
        #expect(ended.code == 130)
        #expect(ended.errors.contains("rollcall operations watch op-1"))
    }
}
