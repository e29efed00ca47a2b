import Foundation
import Synchronization

/// A blocking TCP connection, to the byte: a server's side or a client's. Used by one thread at a time, but for
/// `interrupt` and what is said before a close.
public final class RawSocket: Sendable {
    let descriptor: Int32
    private let pending = Mutex<[UInt8]>([])
    private let isClosed = Mutex(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Connects to the loopback.
    public static func connect(port: Int, receiveBuffer: Int32? = nil) -> RawSocket {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        precondition(descriptor >= 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        let connected = withAddress(host: "127.0.0.1", port: port) { Foundation.connect(descriptor, $0, $1) }
        precondition(connected == 0, "cannot connect")
        return RawSocket(descriptor)
    }

    public func close() {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        if isFirst { _ = Foundation.close(descriptor) }
    }

    /// Wakes a thread that reads from it.
    public func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }
    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes the coming close a reset.
    public func resetOnClose() {
        let onWithNoTime: [Int32] = [1, 0]
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, onWithNoTime, 8)
    }

    /// False when the peer is gone.
    @discardableResult public func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult public func write(_ bytes: [UInt8]) -> Bool {
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
    public func readHead() -> String? {
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
    public func read(_ count: Int) -> [UInt8] {
        while pending.withLock({ $0.count < count }), fill() {}
        return pending.withLock { bytes in
            defer { bytes.removeFirst(min(count, bytes.count)) }
            return Array(bytes.prefix(count))
        }
    }

    /// A chunked body, decoded; nil when it is cut.
    public func readChunked() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            var line: [UInt8] = []
            while !line.ends(with: "\r\n".utf8) {
                let byte = read(1)
                if byte.isEmpty { return nil }
                line += byte
            }
            guard let size = Int(String(decoding: line.dropLast(2), as: UTF8.self), radix: 16) else { return nil }
            let piece = read(size + 2)
            guard piece.count == size + 2 else { return nil }
            if size == 0 { return body }
            body += piece.dropLast(2)
        }
    }

    /// Everything up to and with `text`, or to the end.
    public func read(until text: String) -> String {
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
    public func readRest() -> String {
        while fill() {}
        return pending.withLock { bytes in
            defer { bytes = [] }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// A request with its body, by `Content-Length`.
    public func readRequest() -> RawRequest? {
        guard let head = readHead() else { return nil }
        let request = RawRequest(head: head, body: [])
        return RawRequest(head: head, body: read(Int(request.header("content-length") ?? "0") ?? 0))
    }

    public func waitForClose() { while fill() {} }
}

public struct RawRequest: Sendable {
    public let head: String
    public let body: [UInt8]

    public init(head: String, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    public var text: String { String(decoding: body, as: UTF8.self) }
    public var line: String { head.components(separatedBy: "\r\n")[0] }

    public func header(_ name: String) -> String? {
        head.components(separatedBy: "\r\n").dropFirst().first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) }
    }
}
