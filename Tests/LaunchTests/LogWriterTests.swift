import Dispatch
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Launch

@Suite("The queue of log lines")
struct LogQueueTests {
    private static func notice(_ count: Int) -> String { "dropped \(count)\n" }

    private func rest(of queue: inout LogQueue) -> [String] {
        var lines: [String] = []
        while let line = queue.next() { lines.append(line) }
        return lines
    }

    @Test("Only the first line of many calls for a writer")
    func wake() {
        var queue = LogQueue()
        let calls = (0..<3).map { queue.append("\($0)\n", notice: Self.notice) }
        #expect(calls == [true, false, false])
        #expect(rest(of: &queue) == ["0\n", "1\n", "2\n"])
        let isCalled = queue.append("3\n", notice: Self.notice)
        #expect(isCalled)
    }

    @Test("A full queue drops the newest, and tells how many in their place once half of it is written")
    func lines() {
        var queue = LogQueue()
        queue.maximumLines = 4
        for number in 0..<7 { _ = queue.append("\(number)\n", notice: Self.notice) }
        #expect(queue.next() == "0\n")
        _ = queue.append("7\n", notice: Self.notice)
        #expect(queue.next() == "1\n")
        _ = queue.append("8\n", notice: Self.notice)
        #expect(rest(of: &queue) == ["2\n", "3\n", "dropped 4\n", "8\n"])
    }

    @Test("The bytes are bounded as well, and a line that never fits is told at once")
    func bytes() {
        var queue = LogQueue()
        queue.maximumBytes = 100
        let line = String(repeating: "x", count: 29) + "\n"
        for _ in 0..<5 { _ = queue.append(line, notice: Self.notice) }
        #expect(rest(of: &queue) == [line, line, line, "dropped 2\n"])
        _ = queue.append(String(repeating: "y", count: 101), notice: Self.notice)
        #expect(rest(of: &queue) == ["dropped 1\n"])
    }
}

@Suite("The writer of log lines", .timeLimit(.minutes(1)))
struct LogWriterTests {
    @Test("Whoever logs does not wait for a reader that stands still; what was dropped is told")
    func stalled() async {
        let gate = DispatchSemaphore(value: 0)
        let written = Mutex<[String]>([])
        let writer = LogWriter { line in
            gate.wait()
            written.withLock { $0.append(line) }
            gate.signal()
        }
        let logger = Logger(label: "gateway") {
            LineLogHandler(label: $0, format: .json, level: .info, write: { writer.append($0, notice: $1) })
        }
        for number in 0..<12_000 { logger.info("Line", metadata: ["number": "\(number)"]) }
        #expect(writer.isBusy)
        gate.signal()
        await onThread { writer.flush(within: .seconds(30)) }
        #expect(!writer.isBusy)
        let lines = written.withLock { $0 }
        // The writer may have taken one of them before the queue was full.
        #expect((10_001...10_002).contains(lines.count))
        #expect(lines.dropLast().enumerated().allSatisfy { $1.contains(#""number":"\#($0)""#) })
        #expect(lines.last?.contains(#""message":"Log lines were dropped""#) == true)
        #expect(lines.last?.contains(#""count":"\#(12_001 - lines.count)""#) == true)
    }

    @Test("A flush does not wait for ever")
    func bounded() async {
        let gate = DispatchSemaphore(value: 0)
        let writer = LogWriter { _ in gate.wait() }
        writer.append("line\n") { _ in "" }
        await onThread { writer.flush(within: .milliseconds(50)) }
        #expect(writer.isBusy)
        gate.signal()
    }
}

/// Each in a process of its own, whose standard error is read to the end.
@Suite("The last lines of a process", .timeLimit(.minutes(1)))
struct LastLinesTests {
    private static let logger = Logger(label: "test") { LineLogHandler(label: $0, format: .text, level: .info) }

    private static func log() {
        for number in 0..<500 { logger.info("Line", metadata: ["number": "\(number)"]) }
    }

    private func numbers(_ result: ExitTest.Result?) -> [String] {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            line.firstRange(of: "Line number=").map { String(line[$0.upperBound...]) }
        }
    }

    private static let all = (0..<500).map(String.init)

    @Test("An exit writes them")
    func exits() async {
        let result = await #expect(processExitsWith: .exitCode(3), observing: [\.standardErrorContent]) {
            LogWriter.flushAtTheEnd()
            Self.log()
            exit(3)
        }
        #expect(numbers(result) == Self.all)
    }

    @Test("A failed precondition does")
    func crashes() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            LogWriter.flushAtTheEnd()
            Self.log()
            fatalError("broken")
        }
        #expect(numbers(result) == Self.all)
    }

    @Test("So does the end of the services, and the line of a refusal comes last")
    func refusal() async {
        let result = await #expect(processExitsWith: .exitCode(78), observing: [\.standardErrorContent]) {
            let process = SampleProcess {
                Self.log()
                throw ProcessExit(code: 78, message: "another registry")
            }
            await SampleProcess.start(process, ProcessSettings(environment: [:]), Self.common)
        }
        #expect(numbers(result) == Self.all)
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.hasSuffix("\nrollcall-sample: another registry\n"))
    }

    @Test("A second signal ends the process at once, after its lines")
    func secondSignal() async {
        let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            struct Stubborn: Service {
                func run() async throws {
                    LastLinesTests.log()
                    kill(getpid(), SIGTERM)
                    await withGracefulShutdownHandler {
                        await withCheckedContinuation { (_: CheckedContinuation<Void, Never>) in }
                    } onGracefulShutdown: {
                        kill(getpid(), SIGTERM)
                    }
                }
            }
            await SampleProcess.start(
                SampleProcess { [Stubborn()] }, ProcessSettings(environment: [:]), LastLinesTests.common)
        }
        #expect(numbers(result) == Self.all)
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("Asked to stop a second time"))
    }

    @Test("A reader that stands still holds up the end for a moment only")
    func unread() async {
        await #expect(processExitsWith: .exitCode(0)) {
            LogWriter.flushAtTheEnd()
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0, dup2(ends[1], STDERR_FILENO) >= 0 else { exit(9) }
            for _ in 0..<20_000 { Self.logger.info("Nobody reads this") }
            exit(0)
        }
    }

    private static var common: CommonSettings { CommonSettings(amqpURLs: [], logger: logger) }
}
