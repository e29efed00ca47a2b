import Glibc
import NIOCore

/// What a client may take too long for.
extension ClientHandler {
    /// Bytes have come. If no request is there, a head must be complete within half a minute of them.
    func noteBytes() {
        guard current == nil, !isHeadBegun, !isClosing else { return }
        isHeadBegun = true
        deadline = .now() + gateway.timeouts.head
    }

    /// Closes connections that are idle for a minute, whose requests come too slowly, or whose clients take nothing of
    /// their answers. A client that takes a little now and then is a slow one and may go on.
    func expire(_ now: NIODeadline) {
        if wasActive {
            wasActive = false
            if !isClosing, !isHeadBegun { deadline = now + gateway.timeouts.idle }
        }
        let pending = context?.channel.pendingBytes ?? 0
        if isStalled(now, pending) { return closeNow() }
        if isClosing {
            if deadline <= now, pending == 0 { closeNow() }
        } else if let current {
            if !current.isReceived, current.bodyDeadline <= now {
                if current.isAnswered { close() } else { refuse(.bodyTooSlow) }
            }
        } else if deadline <= now {
            if isHeadBegun { refuseBytes(.headTooSlow) } else { close() }
        }
    }

    private func isStalled(_ now: NIODeadline, _ pending: Int) -> Bool {
        reader.note(written: writtenBytes, pending: pending, at: now)
        if reader.isWaiting(at: now) { noteAcknowledged(now) }
        return reader.takesNothing(since: now - gateway.timeouts.stalledReader)
    }

    /// The operating system holds some megabytes for a client and takes more only when a third of that is free. A slow
    /// client takes bytes all the time meanwhile, which the acknowledged bytes of the connection show (tcp(7), `TCP_INFO`).
    private func noteAcknowledged(_ now: NIODeadline) {
        guard let channel = context?.channel as? any SocketOptionProvider, let eventLoop = context?.eventLoop else {
            return
        }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let info: EventLoopFuture<TCPInfo> = channel.unsafeGetSocketOption(
            level: SocketOptionLevel(IPPROTO_TCP), name: SocketOptionName(TCP_INFO))
        // If the channel is closed there is nothing left to wait for.
        info.whenSuccess { info in bound.value.reader.note(acknowledged: info.acknowledgedBytes, at: now) }
    }
}

/// When a client last took a byte of what was written to it.
struct ReaderProgress {
    private var taken = 0
    private var acknowledged: UInt64 = 0
    private var lastTaken = NIODeadline.now()

    /// - Parameters:
    ///   - written: all bytes that were ever written
    ///   - pending: those that the operating system has not taken yet
    mutating func note(written: Int, pending: Int, at now: NIODeadline) {
        guard pending == 0 || written - pending != taken else { return }
        taken = written - pending
        lastTaken = now
    }

    mutating func note(acknowledged count: UInt64, at now: NIODeadline) {
        guard count != acknowledged else { return }
        acknowledged = count
        lastTaken = now
    }

    /// Nothing was seen to be taken at this look.
    func isWaiting(at now: NIODeadline) -> Bool { lastTaken < now }

    func takesNothing(since time: NIODeadline) -> Bool { lastTaken < time }
}

/// The beginning of Linux's `struct tcp_info` (linux/tcp.h), up to the field that is read here: 8 bytes, 24 words of 32
/// bits, two rates of 64 bits, and `tcpi_bytes_acked`. The C library's own declaration ends before that.
private struct TCPInfo: Sendable {
    private var flags: UInt64 = 0
    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var moreWords: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var rates: (UInt64, UInt64) = (0, 0)
    private(set) var acknowledgedBytes: UInt64 = 0
}
