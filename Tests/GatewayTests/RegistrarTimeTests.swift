import Catalog
import Logging
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(1))) struct RegistrarTimeTests {
    private let log = LogBox()
    private var logger: Logger {
        log.logger()
    }
    private static let own: Int64 = 1_800_000_000_000

    @Test(arguments: [-25_000, 25_000, 10_800_000] as [Int64])
    func theMedianOfTheLastMessagesCounts(offset: Int64) {
        let time = RegistrarTime(clock: { Self.own }, logger: logger)
        #expect(time.now == Self.own)
        time.heard(Self.own + offset)
        #expect(time.now == Self.own + offset)
        time.heard(Self.own + offset + 40)
        time.heard(Self.own + offset - 90_000)
        #expect(time.now == Self.own + offset, "one that came late does not count")
        for _ in 0..<3 { time.heard(Self.own) }
        #expect(time.now == Self.own)
    }

    @Test func aSkewIsLoggedOnce() {
        let time = RegistrarTime(clock: { Self.own }, logger: logger)
        time.heard(Self.own + 4999)
        #expect(log.lines.isEmpty)
        for _ in 0..<5 { time.heard(Self.own + 25_000) }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.hasPrefix("warning ") == true)
        for _ in 0..<5 { time.heard(Self.own) }
        for _ in 0..<5 { time.heard(Self.own - 6000) }
        #expect(log.lines.count == 2)
    }

    @Test func theFirstWriteWaitsForTheRegistrarsClockAndOthersDoNot() async {
        let time = RegistrarTime(clock: { Self.own }, logger: logger)
        async let first = time.now(waiting: .seconds(30))
        async let second = time.now(waiting: .seconds(30))
        // Whichever comes first, the waits or the message, they end with it.
        await Task.yield()
        time.heard(Self.own + 25_000)
        #expect(await [first, second] == [Self.own + 25_000, Self.own + 25_000])
        let silent = RegistrarTime(clock: { Self.own }, logger: logger)
        #expect(await silent.now(waiting: .milliseconds(20)) == Self.own)
        let start = ContinuousClock.now
        #expect(await silent.now(waiting: .seconds(30)) == Self.own, "the wait is over for all")
        #expect(start.duration(to: .now) < .seconds(20))
    }

    @Test("A command is dated by the registrar's clock")
    func deadlines() async throws {
        let time = RegistrarTime(clock: { Self.own }, logger: logger)
        time.heard(Self.own + 25_000)
        let bench = try Bench(time: time, limits: { $0.outcome = .seconds(20) })
        let answer = try await bench.send("POST", "/v0/endpoints", #"{"name":"a","base_url":"http://a"}"#)
        #expect(answer.status == 201)
        #expect(bench.registrar.commands.map(\.deadline) == [Self.own + 45_000])
    }
}
