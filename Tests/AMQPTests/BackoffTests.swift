import Testing

@testable import AMQP

@Suite struct BackoffTests {
    /// No chance at all: 0 gives the least delay.
    struct Constant: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test func doublesUpToTheMaximum() {
        var backoff = Backoff(minimum: .milliseconds(100), maximum: .seconds(1))
        var least = Constant(value: 0)
        let delays = (0..<6).map { _ in backoff.delay(using: &least) }
        #expect(delays == [50, 100, 200, 400, 500, 500].map { Duration.milliseconds($0) })
    }

    @Test func halfOfItIsRandom() {
        var backoff = Backoff(minimum: .seconds(2), maximum: .seconds(2))
        var generator = SystemRandomNumberGenerator()
        let delays = (0..<100).map { _ in backoff.delay(using: &generator) }
        #expect(delays.allSatisfy { $0 >= .seconds(1) && $0 <= .seconds(2) })
        #expect(Set(delays).count > 50)
    }

    @Test func beginsAnewOnlyAfterAConnectionThatLasted() {
        var backoff = Backoff(minimum: .seconds(1), maximum: .seconds(4))
        var least = Constant(value: 0)
        _ = backoff.delay(using: &least)
        // 2 s would be next.
        backoff.connectionLasted(.seconds(1))
        #expect(backoff.delay(using: &least) == .seconds(1))
        // 4 s would be next.
        backoff.connectionLasted(.seconds(3))
        #expect(backoff.delay(using: &least) == .seconds(2))
        backoff.connectionLasted(.seconds(4))
        #expect(backoff.delay(using: &least) == .milliseconds(500))
        // 2 s would be next.
        backoff.connectionLasted(.seconds(2))
        #expect(backoff.delay(using: &least) == .milliseconds(500))
    }
}
