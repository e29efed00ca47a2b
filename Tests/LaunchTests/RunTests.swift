import AMQP
import Foundation
import Logging
import ServiceLifecycle
import Testing
import UnixSignals

@testable import Launch

@Suite("Running the services", .timeLimit(.minutes(1)))
struct RunTests {
    private struct Failure: Error {}

    /// Does `body`, then waits for the end.
    private struct Acting: Service {
        let body: @Sendable () async throws -> Void
        func run() async throws {
            try await body()
            try await gracefulShutdown()
        }
    }

    private func exitCode(_ body: @escaping @Sendable () async throws -> Void) async -> Int32 {
        let process = SampleProcess { [Acting(body: body)] }
        return await SampleProcess.run(process, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("An error of a service gives its exit code")
    func codes() async {
        #expect(await exitCode { throw ProcessExit(code: 78, message: "another registry") } == 78)
        #expect(await exitCode { throw SettingError(setting: "ROLLCALL_X", problem: "bad") } == 78)
        #expect(await exitCode { throw AMQPError(.configuration, "bad URL") } == 78)
        #expect(await exitCode { throw AMQPError(.stopped, "stopped") } == 1)
        #expect(await exitCode { throw Failure() } == 1)
    }

    @Test("An error while making the services does, too")
    func making() async {
        let process = SampleProcess { throw ProcessExit(code: 78, message: "no database") }
        let code = await SampleProcess.run(process, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(code == 78)
    }

    @Test("A signal to stop ends the process with 0")
    func signals() async {
        // Not SIGTERM: it would also stop the servers of other tests in this process.
        let process = SampleProcess { [Acting { kill(getpid(), SIGUSR2) }] }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(await SampleProcess.run(process, logger: logger, signals: [.sigusr2]) == 0)
    }

    @Test("A service that ends by itself is a failure")
    func earlyEnd() async {
        struct Ending: Service { func run() async throws {} }
        let process = SampleProcess { [Ending()] }
        #expect(await SampleProcess.run(process, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) == 1)
    }
}
