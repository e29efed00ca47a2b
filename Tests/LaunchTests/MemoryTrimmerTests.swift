import Glibc
import Testing

@testable import Launch

@Suite(.serialized) struct MemoryTrimmerTests {
    private let megabyte = 1 << 20

    @Test func littleIsNotWorthATrim() {
        let rule = MemoryTrimRule()
        #expect(!rule.isDue(MemoryUse(resident: 12 * megabyte, used: 5 * megabyte)))
        #expect(rule.isDue(MemoryUse(resident: 14 * megabyte, used: 5 * megabyte)))
        // Of a large heap some is always free.
        #expect(!rule.isDue(MemoryUse(resident: 120 * megabyte, used: 100 * megabyte)))
        #expect(rule.isDue(MemoryUse(resident: 130 * megabyte, used: 100 * megabyte)))
    }

    @Test func whatCannotBeGivenBackIsNotTriedAgain() {
        var rule = MemoryTrimRule()
        let stuck = MemoryUse(resident: 40 * megabyte, used: 10 * megabyte)
        #expect(rule.isDue(stuck))
        rule.trimmed(stuck)
        #expect(!rule.isDue(stuck))
        #expect(rule.isDue(MemoryUse(resident: 60 * megabyte, used: 10 * megabyte)))
    }

    /// Blocks that are freed below one in use stay with the process until they are trimmed.
    @Test func aPeakIsGivenBack() throws {
        var blocks = (0..<40_000).map { _ in UnsafeMutableRawPointer.allocate(byteCount: 4000, alignment: 16) }
        for block in blocks { memset(block, 1, 4000) }
        let last = blocks.removeLast()
        for block in blocks { block.deallocate() }
        let peak = MemoryUse.now
        try #require(peak.unused > 100 * megabyte)
        var rule = MemoryTrimRule()
        MemoryTrimmer.trim(by: &rule)
        #expect(MemoryUse.now.resident < peak.resident - 60 * megabyte)
        last.deallocate()
    }
}
