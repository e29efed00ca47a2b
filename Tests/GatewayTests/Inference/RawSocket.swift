import Foundation
import Synchronization

/// A blocking TCP connection, to the byte: an endpoint's side in a test, or a client's. Used by one thread at a time.
final class RawSocket: Sendable {
    let descriptor: Int32
    private let pending = Mutex<[UInt8]>([])
    private let isClosed = Mutex(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Connects to the loopback.
    static func connect(port: Int, receiveBuffer: Int32? = nil) -> RawSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(descriptor >= 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let connected = withLoopback(port) { Foundation.connect(descriptor, $0, $1) }
        precondition(connected == 0, "cannot connect")
        return RawSocket(descriptor)
    }

    func close() {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        if isFirst { _ = Foundation.close(descriptor) }
    }

    /// Wakes a thread that reads from it.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes the coming close a reset.
    func resetOnClose() {
        let onWithNoTime: [Int32] = [1, 0]
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, onWithNoTime, 8)
    }

    /// False when the peer is gone.
    @discardableResult func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        pending.withLock { $0 += buffer[..<count] }
        return true
    }

    /// The next head without its empty line; nil at the end.
    func readHead() -> String? {
        while true {
            let head = pending.withLock { bytes -> String? in
                guard let range = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
                defer { bytes.removeSubrange(..<range.upperBound) }
                return String(decoding: bytes[..<range.lowerBound], as: UTF8.self)
            }
            if let head { return head }
            guard fill() else { return nil }
        }
    }

    /// Fewer than `count` at the end.
    func read(_ count: Int) -> [UInt8] {
        while pending.withLock({ $0.count < count }), fill() {}
        return pending.withLock { bytes in
            defer { bytes.removeFirst(min(count, bytes.count)) }
            return Array(bytes.prefix(count))
        }
    }

    /// Everything up to and with `text`, or to the end.
    func read(until text: String) -> String {
        while true {
            let found = pending.withLock { bytes -> String? in
                guard let range = bytes.firstRange(of: Array(text.utf8)) else { return nil }
                defer { bytes.removeSubrange(..<range.upperBound) }
                return String(decoding: bytes[..<range.upperBound], as: UTF8.self)
            }
            if let found { return found }
            guard fill() else { return readRest() }
        }
    }

    /// Everything until the peer closes.
    func readRest() -> String {
        while fill() {}
        return pending.withLock { bytes in
            defer { bytes = [] }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// A request with its body, by `Content-Length`.
    func readRequest() -> RawRequest? {
        guard let head = readHead() else { return nil }
        let request = RawRequest(head: head, body: [])
        return RawRequest(head: head, body: read(Int(request.header("content-length") ?? "0") ?? 0))
    }

    func waitForClose() { while fill() {} }
}

struct RawRequest: Sendable {
    let head: String
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var line: String { head.components(separatedBy: "\r\n")[0] }

    func header(_ name: String) -> String? {
        head.components(separatedBy: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) }
    }
}

/// An endpoint that does what a script tells it: a thread a connection.
final class RawUpstream: Sendable {
    let port: Int
    private let listener: Int32
    private let accepted = Atomic(0)

    var connectionCount: Int { accepted.load(ordering: .acquiring) }

    init(_ serve: @escaping @Sendable (RawSocket) -> Void) {
        (listener, port) = listenOnLoopback()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    break
                }
                self?.accepted.add(1, ordering: .acquiringAndReleasing)
                Thread.detachNewThread {
                    let connection = RawSocket(descriptor)
                    serve(connection)
                    connection.close()
                }
            }
            Foundation.close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Answers every request alike and keeps the connection.
    static func answering(
        _ body: String = #"{"ok":true}"#, status: String = "200 OK", headers: String = "",
        requests: Record<RawRequest>? = nil
    ) -> RawUpstream {
        RawUpstream { connection in
            while let request = connection.readRequest() {
                requests?.add(request)
                connection.write(
                    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
    }
}

/// A port that refuses connections.
func refusingPort() -> Int {
    let (listener, port) = listenOnLoopback()
    Foundation.close(listener)
    return port
}

private func listenOnLoopback() -> (Int32, Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(listener >= 0)
    precondition(withLoopback(0) { bind(listener, $0, $1) } == 0 && listen(listener, 1024) == 0)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
    }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
}

private func withLoopback<T>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}

/// Runs blocking calls on a thread of their own: the pool of tasks has few.
func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}
