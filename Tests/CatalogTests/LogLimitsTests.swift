import Catalog
import Logging
import Testing

@Suite struct LogLimitsTests {
    private let start = ContinuousClock.now

    private func later(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func eachKeyHasOneEntryInTenSeconds() {
        let limits = LogLimits()
        #expect(limits.admit("a", at: start) == [:])
        #expect(limits.admit("a", at: later(1)) == nil)
        #expect(limits.admit("b", at: later(1)) == [:])
        #expect(limits.admit("a", at: later(9.9)) == nil)
        #expect(limits.admit("a", at: later(10)) == ["left_out": "2"])
        #expect(limits.admit("a", at: later(11)) == nil)
        #expect(limits.admit("b", at: later(11)) == [:])
    }

    @Test func keysBeyondTheLimitShareOne() {
        let limits = LogLimits(maximumKeys: 2)
        #expect(limits.admit("a", at: start) == [:])
        #expect(limits.admit("b", at: start) == [:])
        #expect(limits.admit("b", at: later(1)) == nil)
        #expect(limits.admit("c", at: later(1)) == [:])
        #expect(limits.admit("d", at: later(2)) == nil)
        // Both are old now: their places are free, and what was left out of them counts with the others.
        #expect(limits.admit("e", at: later(12)) == [:])
        #expect(limits.admit("f", at: later(12)) == [:])
        #expect(limits.admit("g", at: later(12)) == ["left_out": "2"])
        #expect(limits.admit("e", at: later(13)) == nil)
    }
}
