internal import CCurl
internal import Glibc

/// An eventfd: wakes the loop's thread from any other.
final class Doorbell: Sendable {
    let descriptor: Int32

    init() {
        descriptor = rollcall_eventfd()
        // Only for want of descriptors or memory, at a start: nothing could work without it.
        precondition(descriptor >= 0, "eventfd failed")
    }

    deinit { close(descriptor) }

    func ring() {
        // A full counter (EAGAIN) rings too, so the result tells nothing.
        _ = eventfd_write(descriptor, 1)
    }

    func silence() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor, &count)
    }
}
