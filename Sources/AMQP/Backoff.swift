/// How long to wait before the next attempt to connect: doubling, capped, and half of it random, so that a fleet
/// that lost its broker at one moment does not come back at one moment.
struct Backoff {
    let minimum: Duration
    let maximum: Duration
    private var next: Duration

    init(minimum: Duration, maximum: Duration) {
        self.minimum = minimum
        self.maximum = max(minimum, maximum)
        next = minimum
    }

    mutating func delay(using generator: inout some RandomNumberGenerator) -> Duration {
        let full = next
        next = min(next * 2, maximum)
        return full * Double.random(in: 0.5..<1, using: &generator)
    }

    /// To be told how long the connection lasted: one that broke sooner than we would wait now has proved nothing.
    mutating func connectionLasted(_ duration: Duration) {
        if duration >= next { next = minimum }
    }
}
