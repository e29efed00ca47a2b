import Glibc

/// The two clocks of a poller. Everything that is waited for or measured goes by the monotonic one; the wall clock
/// is only shown to people and gives ticks their size.
struct PollerClock: Sendable {
    /// Time since some moment in the past; never goes back.
    var monotonic: @Sendable () -> Duration
    /// Milliseconds since 1970.
    var wallMilliseconds: @Sendable () -> Int64
    /// Waits; a cancelled task waits no longer and looks at what is to be done now.
    var pause: @Sendable (Duration) async -> Void

    /// `wallOffset` is a test facility: a wall clock that is wrong by so many seconds.
    static func live(wallOffset: Duration = .zero) -> PollerClock {
        let start = ContinuousClock.now
        let offset = wallOffset.components.seconds * 1000
        return PollerClock(
            monotonic: { start.duration(to: .now) },
            wallMilliseconds: {
                var time = timespec()
                clock_gettime(CLOCK_REALTIME, &time)
                return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000 + offset
            },
            pause: { duration in
                do {
                    try await Task.sleep(for: duration)
                } catch {
                    // Cancelled.
                }
            })
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
