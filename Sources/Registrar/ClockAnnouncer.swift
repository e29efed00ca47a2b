import Catalog
import Logging
import ServiceLifecycle

/// Says on the stream what time it is by the active registrar's clock: every few seconds, and whenever a process has just
/// begun to follow the stream, so that a gateway's first command has the right deadline.
struct ClockAnnouncer: Service {
    private static let interval = Duration.seconds(5)
    /// How often it looks whether this registrar has become the active one.
    private static let recheck = Duration.seconds(1)

    /// A process that follows the stream puts a mark on it first.
    let effects: AsyncStream<[CatalogEffect]>
    let stream: any CatalogStream
    let activity: RegistrarActivity
    /// Milliseconds since 1970.
    let wallClock: @Sendable () -> Int64
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await announcePeriodically() }
                group.addTask {
                    for await batch in effects where batch.contains(where: \.isMark) { await announce() }
                }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func announcePeriodically() async {
        var last: ContinuousClock.Instant?
        var steps = ClockSteps()
        while true {
            do { try await Task.sleep(for: Self.recheck) } catch { return }
            let isUrgent = steps.isAfterStep(wall: wallClock(), monotonic: .now)
            guard activity.isActive else {
                last = nil
                continue
            }
            if let last, last + Self.interval > .now, !isUrgent { continue }
            last = .now
            await announce()
        }
    }

    /// One that does not come through is made up for by the next.
    private func announce() async {
        guard activity.isActive else { return }
        do {
            try await stream.publish([
                TracedMessage(.registrarClock(RegistrarClock(at: wallClock())), trace: nil)
            ])
        } catch {
            logger.debug("The clock is not announced", metadata: ["error": "\(error)"])
        }
    }
}

extension CatalogEffect {
    fileprivate var isMark: Bool { if case .syncMark = self { true } else { false } }
}

/// Notices that the wall clock was set. Gateways believe several messages in a row, so some follow quickly.
struct ClockSteps {
    /// Milliseconds between the two clocks at the last look that count as a step.
    private static let least: Int64 = 1000

    private var last: (wall: Int64, monotonic: ContinuousClock.Instant)?
    private var urgent = 0

    /// - Parameter wall: milliseconds since 1970.
    mutating func isAfterStep(wall: Int64, monotonic: ContinuousClock.Instant) -> Bool {
        if let last {
            let passed = Int64(last.monotonic.duration(to: monotonic) / .milliseconds(1))
            if abs(wall - last.wall - passed) > Self.least { urgent = 3 }
        }
        last = (wall, monotonic)
        guard urgent > 0 else { return false }
        urgent -= 1
        return true
    }
}
