import Testing

@testable import Poller

struct CutOffTests {
    @Test func failuresOfSeveralHostsWithoutASuccessAreWithheld() {
        var cutOff = CutOff()
        #expect(cutOff.failed(1, host: "a", counts: true, now: .zero) == .init())
        #expect(cutOff.failed(2, host: "b", counts: true, now: .milliseconds(100)) == .init())
        #expect(cutOff.deadline == .milliseconds(250))
        #expect(cutOff.judge(now: .milliseconds(249)) == .init())
        #expect(cutOff.judge(now: .milliseconds(250)) == .init(withheld: [1, 2]))
        #expect(cutOff.isCutOff)
        #expect(cutOff.failed(3, host: "c", counts: true, now: .seconds(1)) == .init(withheld: [3]))
        #expect(cutOff.succeeded() == .init())
        #expect(!cutOff.isCutOff)
    }

    @Test func aSuccessProvesTheNetwork() {
        var cutOff = CutOff()
        _ = cutOff.failed(1, host: "a", counts: true, now: .zero)
        _ = cutOff.failed(2, host: "b", counts: true, now: .zero)
        #expect(cutOff.succeeded() == .init(released: [1, 2]))
        #expect(cutOff.judge(now: .seconds(9)) == .init())
        #expect(!cutOff.isCutOff)
        // The count begins anew.
        _ = cutOff.failed(3, host: "a", counts: true, now: .seconds(10))
        #expect(cutOff.judge(now: .seconds(11)) == .init(released: [3]))
    }

    @Test func oneHostThatFailsIsThatHostsTrouble() {
        var cutOff = CutOff()
        for (token, time) in [(1, 0), (2, 100), (3, 300)] {
            _ = cutOff.failed(token, host: "a", counts: true, now: .milliseconds(time))
        }
        #expect(cutOff.judge(now: .milliseconds(360)) == .init(released: [1, 2]))
        #expect(cutOff.judge(now: .milliseconds(550)) == .init(released: [3]))
        // A second one, later, with no success in between.
        _ = cutOff.failed(4, host: "b", counts: true, now: .seconds(2))
        #expect(cutOff.judge(now: .seconds(3)) == .init(withheld: [4]))
        #expect(cutOff.isCutOff)
    }

    /// One host that died a while ago and another one now are no sign of a cut.
    @Test func failuresThatAreFarApartTellNothingTogether() {
        var cutOff = CutOff()
        _ = cutOff.failed(1, host: "a", counts: true, now: .zero)
        #expect(cutOff.judge(now: .milliseconds(250)) == .init(released: [1]))
        _ = cutOff.failed(2, host: "b", counts: true, now: .seconds(11))
        #expect(cutOff.judge(now: .seconds(12)) == .init(released: [2]))
        #expect(!cutOff.isCutOff)
    }

    @Test func whatDoesNotCountPasses() {
        var cutOff = CutOff()
        #expect(cutOff.failed(1, host: "a", counts: false, now: .zero) == .init(released: [1]))
        #expect(cutOff.failed(2, host: "b", counts: false, now: .zero) == .init(released: [2]))
        #expect(cutOff.deadline == nil)
    }

    @Test func alonePollersWordStands() {
        var cutOff = CutOff()
        _ = cutOff.failed(1, host: "a", counts: true, now: .zero)
        _ = cutOff.failed(2, host: "b", counts: true, now: .zero)
        _ = cutOff.judge(now: .seconds(1))
        #expect(cutOff.isCutOff)
        #expect(cutOff.standAlone() == .init())
        #expect(!cutOff.isCutOff)
        #expect(cutOff.failed(3, host: "a", counts: false, now: .seconds(2)) == .init(released: [3]))
    }

    @Test(arguments: [
        ("http://10.0.0.1:8000", "10.0.0.1"), ("https://llm.example/path", "llm.example"), ("http://[::1]:80", "[::1]"),
        ("http://a", "a"), ("odd", "odd"),
    ])
    func hosts(_ url: String, _ host: String) {
        #expect(HostName.of(url) == host)
    }
}
