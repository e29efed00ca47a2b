internal import CCurl
internal import Glibc
internal import Threads

/// What the loop's thread sleeps on: the sockets that libcurl waits for, the time at which it wants to be called all the
/// same, and the wake-up. What a turn costs depends on what happened, not on how many transfers there are, for which
/// `curl_multi_perform` looks at every one. Not Sendable: it stays on the loop's thread.
///
/// Source: libcurl's manual, `curl_multi_socket_action`, `CURLMOPT_SOCKETFUNCTION`, `CURLMOPT_TIMERFUNCTION`.
final class SocketSet {
    /// More than these wait for the next turn, which is at once: what came first is told before they are read.
    private static let longestTurn: Int32 = 64

    private let descriptor: Int32
    private let wakeup: Wakeup
    private var events = [epoll_event](repeating: epoll_event(), count: Int(longestTurn))
    /// What happened while it last slept.
    private var count = 0
    /// When libcurl wants to be called without an event; nil for never.
    private var due: ContinuousClock.Instant?

    init(wakeup: Wakeup) {
        self.wakeup = wakeup
        descriptor = rollcall_epoll()
        // Only for want of descriptors or memory, at a start: nothing could work without it.
        precondition(descriptor >= 0, "epoll_create1 failed")
        add(wakeup.descriptor, EPOLLIN.rawValue)
    }

    deinit { close(descriptor) }

    /// Has libcurl say what it waits for. The set must outlive the handle.
    func attach(to multi: UnsafeMutableRawPointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        rollcall_multi_set_socket_function(multi, takeSocket)
        rollcall_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        rollcall_multi_set_timer_function(multi, takeTimer)
        rollcall_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
    }

    /// Until something happens, libcurl wants to be called, or `deadline`.
    func wait(until deadline: ContinuousClock.Instant?) {
        let end = [due, deadline].compactMap { $0 }.min()
        // An interrupt, the one error that there can be, counts as nothing having happened.
        count = max(0, Int(epoll_wait(descriptor, &events, Self.longestTurn, end.map(Wakeup.milliseconds) ?? -1)))
    }

    /// Calls libcurl for what has happened.
    func act(on multi: UnsafeMutableRawPointer) {
        var running: Int32 = 0
        for event in events.prefix(count) {
            guard event.data.fd != wakeup.descriptor else {
                wakeup.clear()
                continue
            }
            curl_multi_socket_action(multi, event.data.fd, Self.selection(event.events), &running)
        }
        count = 0
        if let due, due <= .now {
            // Once for each time that it is set.
            self.due = nil
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
    }

    /// An error or the end of a connection is found by reading or writing, which also tells what it was.
    private static func selection(_ events: UInt32) -> Int32 {
        let failed = EPOLLERR.rawValue | EPOLLHUP.rawValue
        return (events & (EPOLLIN.rawValue | failed) != 0 ? CURL_CSELECT_IN : 0)
            | (events & (EPOLLOUT.rawValue | failed) != 0 ? CURL_CSELECT_OUT : 0)
    }

    // MARK: What libcurl says

    fileprivate func watch(_ socket: curl_socket_t, for what: Int32) {
        switch what {
        // It may be closed already, and with that out of the set.
        case CURL_POLL_REMOVE: epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
        case CURL_POLL_IN: add(socket, EPOLLIN.rawValue)
        case CURL_POLL_OUT: add(socket, EPOLLOUT.rawValue)
        default: add(socket, EPOLLIN.rawValue | EPOLLOUT.rawValue)
        }
    }

    private func add(_ socket: curl_socket_t, _ events: UInt32) {
        var event = epoll_event()
        event.events = events
        event.data.fd = socket
        // Whether it is new is for the set to know: libcurl may close a socket and open one of the same number.
        if epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event) != 0 {
            epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event)
        }
    }

    fileprivate func setTimer(milliseconds: Int) {
        due = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }
}

/// CURLMOPT_SOCKETFUNCTION.
private func takeSocket(
    _: UnsafeMutableRawPointer?, socket: curl_socket_t, what: Int32, context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    if let context { Unmanaged<SocketSet>.fromOpaque(context).takeUnretainedValue().watch(socket, for: what) }
    return 0
}

/// CURLMOPT_TIMERFUNCTION.
private func takeTimer(_: UnsafeMutableRawPointer?, milliseconds: Int, context: UnsafeMutableRawPointer?) -> Int32 {
    if let context {
        Unmanaged<SocketSet>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    }
    return 0
}
