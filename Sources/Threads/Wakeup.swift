internal import CThreads
internal import Glibc

/// An eventfd: any thread wakes one that is blocked in `poll` or `epoll_wait`.
package final class Wakeup: Sendable {
    package let descriptor: Int32

    package init() {
        descriptor = rollcall_eventfd()
        // Fails only without descriptors or memory, at a start: nothing could work without it.
        precondition(descriptor >= 0, "eventfd failed")
    }

    deinit { close(descriptor) }

    package func signal() {
        // EAGAIN says that the counter is full. The thread wakes all the same, so the result is ignored.
        _ = eventfd_write(descriptor, 1)
    }

    /// Takes all signals given so far.
    package func clear() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }

    /// Blocks until a signal, input on `socket`, or `deadline`.
    ///
    /// Returns early on an interrupt (EINTR): callers look at the time and at their work in a loop in any case.
    ///
    /// - Parameter socket: -1 for none
    package func wait(orInputOn socket: Int32 = -1, until deadline: ContinuousClock.Instant?) {
        // poll ignores negative descriptors.
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = deadline.map(Self.milliseconds) ?? -1
        if poll(&descriptors, 2, milliseconds) > 0, descriptors[0].revents != 0 { clear() }
    }

    /// The time left, as `poll` and `epoll_wait` take it. Rounded up: rounded down, the last millisecond would be spent
    /// spinning.
    package static func milliseconds(until instant: ContinuousClock.Instant) -> Int32 {
        let (seconds, attoseconds) = max(.zero, instant - .now).components
        // Beyond the longest wait that `poll` takes, 24 days, callers come round early.
        guard seconds < Int64(Int32.max) / 1000 else { return .max }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
