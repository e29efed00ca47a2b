import Foundation
import Glibc
import Synchronization
import Testing
import Threads

@Suite struct OwnedThreadTests {
    /// What a thread says of itself.
    private final class Report: Sendable {
        let signals = Mutex<[Int32]>([])
        let name = Mutex("")
        let isDone = Mutex(false)
    }

    @Test func blocksSignalsAndHasItsName() async {
        let report = Report()
        await OwnedThread(name: "a-name-of-fifteen-bytes") {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let blocked = [SIGPIPE, SIGTERM, SIGINT, SIGHUP].filter { sigismember(&mask, $0) == 1 }
            report.signals.withLock { $0 = blocked }
            let name = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            report.name.withLock { $0 = name ?? "" }
        }.join()
        #expect(report.signals.withLock { $0 } == [SIGPIPE, SIGTERM, SIGINT, SIGHUP])
        #expect(report.name.withLock { $0 } == "a-name-of-fifte\n")
    }

    @Test func joinWaitsForTheEnd() async {
        let (report, wakeup) = (Report(), Wakeup())
        let thread = OwnedThread(name: "waits") {
            wakeup.wait(until: .now + .seconds(30))
            report.isDone.withLock { $0 = true }
        }
        #expect(!report.isDone.withLock { $0 })
        wakeup.signal()
        await thread.join()
        #expect(report.isDone.withLock { $0 })
        // A second join returns at once.
        await thread.join()
    }

    @Test func goesOnWithoutItsObject() async {
        let wakeup = Wakeup()
        await withCheckedContinuation { continuation in
            _ = OwnedThread(name: "dropped") {
                wakeup.wait(until: .now + .seconds(30))
                continuation.resume()
            }
            wakeup.signal()
        }
    }
}

@Suite struct WakeupTests {
    private let clock = ContinuousClock()

    @Test func signalsBeforeTheWaitCountOnce() {
        let wakeup = Wakeup()
        wakeup.signal()
        wakeup.signal()
        #expect(clock.measure { wakeup.wait(until: .now + .seconds(30)) } < .seconds(10))
        // Both signals are taken: the next wait lasts until its deadline.
        #expect(clock.measure { wakeup.wait(until: .now + .milliseconds(20)) } >= .milliseconds(20))
        wakeup.signal()
        wakeup.clear()
        #expect(clock.measure { wakeup.wait(until: .now + .milliseconds(20)) } >= .milliseconds(20))
    }

    @Test func inputOnASocketEndsTheWait() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(write(ends[1], "x", 1) == 1)
        #expect(clock.measure { Wakeup().wait(orInputOn: ends[0], until: .now + .seconds(30)) } < .seconds(10))
    }

    @Test func timesAreRoundedUpAndBounded() {
        #expect(Wakeup.milliseconds(until: .now - .seconds(1)) == 0)
        #expect((1...2).contains(Wakeup.milliseconds(until: .now + .microseconds(1001))))
        #expect(Wakeup.milliseconds(until: .now + .seconds(1 << 40)) == .max)
        #expect((1_000_000 - 5_000...1_000_000).contains(Wakeup.milliseconds(until: .now + .seconds(1000))))
    }
}
