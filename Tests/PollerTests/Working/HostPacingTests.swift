import Testing

@testable import Poller

struct HostPacingTests {
    @Test func noMoreThanEightAreBegunAtOnce() {
        var pacing = HostPacing()
        for number in 1...8 { #expect(pacing.add(number, to: "a", at: .zero) == [number]) }
        #expect(pacing.deadline == nil)
        for number in 9...11 { #expect(pacing.add(number, to: "a", at: .zero) == []) }
        #expect(pacing.add(12, to: "b", at: .zero) == [12])
        #expect(pacing.end(3, of: "a", after: .milliseconds(5), at: .milliseconds(5)) == [9])
        #expect(pacing.end(1, of: "a", after: nil, at: .milliseconds(6)) == [10])
        #expect(pacing.end(9, of: "a", after: nil, at: .milliseconds(6)) == [11])
        #expect(pacing.deadline == nil)
    }

    /// A fifth of 1,000 endpoints behind one proxy hangs, and the others answer in 5 ms.
    @Test func endpointsThatHangHoldUpNoOther() {
        var pacing = HostPacing()
        var ends: [(at: Duration, number: Int)] = []
        var now = Duration.zero
        var answered = 0
        func begin(_ numbers: [Int]) {
            for number in numbers where number % 5 != 0 { ends.append((now + .milliseconds(5), number)) }
        }
        for number in 1...1000 { begin(pacing.add(number, to: "proxy", at: now)) }
        for _ in 0..<10_000 where answered < 800 {
            guard let next = [ends.first?.at, pacing.deadline].compactMap({ $0 }).min() else { break }
            now = max(now, next)
            if let first = ends.first, first.at <= now {
                ends.removeFirst()
                answered += 1
                begin(pacing.end(first.number, of: "proxy", after: .milliseconds(5), at: now))
            } else {
                begin(pacing.wake(at: now))
            }
        }
        #expect(answered == 800)
        #expect(now < .seconds(3), "\(now)")
    }

    @Test func idleHostsAreForgotten() {
        var pacing = HostPacing()
        _ = pacing.add(1, to: "a", at: .zero)
        _ = pacing.end(1, of: "a", after: .milliseconds(1), at: .milliseconds(1))
        _ = pacing.add(2, to: "b", at: .zero)
        pacing.forgetIdle()
        #expect(pacing.end(2, of: "b", after: nil, at: .milliseconds(2)) == [])
    }

    @Test(arguments: [
        ("http://h:8000", "http://h:8000"), ("https://h/a/b", "https://h"), ("http://[::1]:80/x", "http://[::1]:80"),
    ])
    func origins(_ url: String, _ origin: String) {
        #expect(HostName.origin(of: url) == origin)
    }
}
