import Foundation
import Glibc
import Synchronization

/// A client that sees how a connection ends, which a library hides.
final class RawClient: Sendable {
    enum Ending: Sendable, Equatable { case closed, reset, stillOpen }

    struct Seen: Sendable {
        var text: String
        var bytes: Int
        var ending: Ending
    }

    private let socket: Int32
    private let hasLeft = Mutex(false)

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError(number: errno) }
    }

    struct SystemError: Error { let number: Int32 }

    func post(_ path: String, _ body: String, headers: String = "") throws {
        let request =
            "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        guard send(socket, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            throw SystemError(number: errno)
        }
    }

    /// Reads until the connection ends, `text` has come, so many bytes have, or nothing has for so long.
    func read(until text: String? = nil, bytes limit: Int = .max, patience: Duration = .seconds(30)) async -> Seen {
        let milliseconds = Int32(patience / .milliseconds(1))
        return await withCheckedContinuation { continuation in
            // On a thread of its own: it blocks.
            Thread.detachNewThread {
                continuation.resume(returning: self.readBlocking(text, limit, milliseconds))
            }
        }
    }

    private func readBlocking(_ wanted: String?, _ limit: Int, _ patience: Int32) -> Seen {
        var seen = Seen(text: "", bytes: 0, ending: .stillOpen)
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while seen.bytes < limit, wanted.map({ !seen.text.contains($0) }) ?? true {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, patience) > 0 else { return seen }
            let count = recv(socket, &part, part.count, 0)
            guard count > 0 else {
                seen.ending = count == 0 ? .closed : .reset
                return seen
            }
            seen.bytes += count
            if seen.bytes < 1 << 20 { seen.text += String(decoding: part[..<count], as: UTF8.self) }
        }
        return seen
    }

    /// Closes the connection, once.
    func leave() {
        let isFirst = hasLeft.withLock { hasLeft in
            defer { hasLeft = true }
            return !hasLeft
        }
        if isFirst { close(socket) }
    }
}
