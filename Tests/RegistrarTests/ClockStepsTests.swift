import Testing

@testable import Registrar

@Suite struct ClockStepsTests {
    @Test func aStepIsSaidThreeTimes() {
        var steps = ClockSteps()
        let start = ContinuousClock.now
        var seen: [Bool] = []
        for (second, wall) in [0, 1000, 2100, 10_803_000, 10_804_000, 10_805_000, 10_806_000, 7000].enumerated() {
            seen.append(steps.isAfterStep(wall: Int64(wall), monotonic: start + .seconds(second)))
        }
        #expect(seen == [false, false, false, true, true, true, false, true])
    }
}
