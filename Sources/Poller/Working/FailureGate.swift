/// Holds workers' failures until `CutOff` has judged them.
actor FailureGate {
    private var cutOff = CutOff()
    private var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    private var lastToken = 0
    private var isJudging = false
    private let clock: PollerClock

    init(clock: PollerClock) { self.clock = clock }

    var isCutOff: Bool { cutOff.isCutOff }

    func succeeded() { settle(cutOff.succeeded()) }

    func standAlone() { settle(cutOff.standAlone()) }

    /// Returns whether the failure is to be reported.
    func admits(failureOf host: String, counts: Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            lastToken += 1
            waiting[lastToken] = continuation
            settle(cutOff.failed(lastToken, host: host, counts: counts, now: clock.monotonic()))
            judgeInTime()
        }
    }

    private func judgeInTime() {
        guard !isJudging, let deadline = cutOff.deadline else { return }
        isJudging = true
        let pause = deadline - clock.monotonic()
        Task {
            if pause > .zero { await clock.pause(pause) }
            judge(max(clock.monotonic(), deadline))
        }
    }

    private func judge(_ now: Duration) {
        isJudging = false
        settle(cutOff.judge(now: now))
        judgeInTime()
    }

    private func settle(_ verdict: CutOff.Verdict) {
        for token in verdict.released { waiting.removeValue(forKey: token)?.resume(returning: true) }
        for token in verdict.withheld { waiting.removeValue(forKey: token)?.resume(returning: false) }
    }
}
