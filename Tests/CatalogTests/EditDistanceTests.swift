import Conventions
import TestSupport
import Testing

@Suite struct EditDistanceTests {
    /// The table in whole, without the band.
    private static func plain(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (place, byte) in left.enumerated() {
            var next = [place + 1]
            for (index, other) in right.enumerated() {
                next.append(min(row[index] + (byte == other ? 0 : 1), row[index + 1] + 1, next[index] + 1))
            }
            row = next
        }
        return row[right.count]
    }

    @Test func theBandGivesWhatTheWholeTableGives() {
        var generator = SeededGenerator(seed: 5)
        func word() -> [UInt8] {
            (0..<Int.random(in: 0...9, using: &generator)).map { _ in UInt8.random(in: 97...99, using: &generator) }
        }
        for _ in 0..<5000 {
            let (left, right) = (word(), word())
            let distance = Self.plain(left, right)
            for limit in 0...4 {
                #expect(EditDistance.between(left, right, atMost: limit) == (distance <= limit ? distance : nil))
            }
        }
    }
}
