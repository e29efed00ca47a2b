import Glibc
import TestSupport

/// A client's connection that waits for nothing longer than it is told. Used by one thread.
final class TimedSocket {
    enum End: Sendable {
        case open
        /// The peer has ended its side.
        case closed
        case reset
    }

    private let descriptor: Int32
    private(set) var end = End.open
    /// What has come and was not taken.
    var received: [UInt8] = []

    init(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(descriptor >= 0, "no socket")
        let connected = withAddress(host: "127.0.0.1", port: port) { connect(descriptor, $0, $1) }
        precondition(connected == 0, "cannot connect")
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// False if the peer is gone, or took nothing for 5 s.
    @discardableResult func send(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    descriptor, raw.baseAddress.map { $0 + sent }, raw.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Waits for more bytes, or for the end. False if neither came in time.
    func fill(milliseconds: Int) -> Bool {
        guard end == .open else { return true }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, Int32(milliseconds)) > 0 else { return false }
        var piece = [UInt8](repeating: 0, count: 1 << 14)
        let count = recv(descriptor, &piece, piece.count, 0)
        if count == 0 { end = .closed }
        if count < 0 { end = .reset }
        received += piece.prefix(max(0, count))
        return true
    }

    /// Reads until the peer closes. False if it does not in time.
    func readToEnd(milliseconds: Int) -> Bool {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while end == .open {
            guard ContinuousClock.now < deadline, fill(milliseconds: milliseconds) else { return false }
        }
        return true
    }
}
