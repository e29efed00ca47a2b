import CRabbitMQ
import Glibc

/// An eventfd: the way to wake a thread that is blocked in `poll`.
final class Wakeup: Sendable {
    let descriptor: Int32

    init() {
        descriptor = rollcall_eventfd()
        // Only for want of descriptors or memory, at a start: nothing could work without it.
        precondition(descriptor >= 0, "eventfd failed")
    }

    deinit { close(descriptor) }

    func signal() {
        // A full counter (EAGAIN) is a signal too, so the result tells nothing.
        _ = eventfd_write(descriptor, 1)
    }

    /// Takes the signals that have been given.
    func clear() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }

    /// Blocks until a signal, or input on `socket` where there is one, or until `deadline`.
    ///
    /// Returns early on an interrupt (EINTR): callers look at the time and at their work in a loop in any case.
    func wait(orInputOn socket: Int32 = -1, until deadline: ContinuousClock.Instant?) {
        // poll ignores negative descriptors.
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        var milliseconds: Int32 = -1
        if let deadline {
            let remaining = max(.zero, ContinuousClock.now.duration(to: deadline))
            // Rounded up: rounded down, the last millisecond would be spent spinning.
            milliseconds = Int32(clamping: Int(min(remaining / .milliseconds(1), 1e9).rounded(.up)))
        }
        if poll(&descriptors, 2, milliseconds) > 0, descriptors[0].revents != 0 { clear() }
    }
}
