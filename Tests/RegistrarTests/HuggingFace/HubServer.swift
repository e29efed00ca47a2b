import Glibc
import Synchronization

/// A Hub on a real socket that does to the byte what a test says: an accepting thread, and a thread a connection.
final class HubServer: Sendable {
    struct Request: Sendable {
        let target: String
        let headers: [(name: String, value: String)]

        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    }

    enum Action: Sendable {
        case answer(status: Int = 200, headers: [String] = [], body: [UInt8])
        /// As it is; then the connection is closed.
        case raw(String)
        /// Nothing, until the peer goes.
        case silence
        /// This head, and then zeros for as long as the peer takes them.
        case endless(String)

        static func text(_ body: String) -> Action { .answer(body: Array(body.utf8)) }
        static func redirect(_ location: String, status: Int = 307) -> Action {
            .answer(status: status, headers: ["Location: \(location)"], body: [])
        }
    }

    let port: Int
    private let listener: Int32
    private let seen = Mutex<[Request]>([])
    private let sent = Atomic(0)

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }
    var targets: [String] { requests.map(\.target) }
    /// Bytes of endless bodies that were sent.
    var sentBytes: Int { sent.load(ordering: .acquiring) }

    init(_ respond: @escaping @Sendable (Request) -> Action) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        precondition(isListening, "no socket to listen on")
        port = Int(UInt16(bigEndian: address.sin_port))
        Self.thread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                if socket < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard socket >= 0 else { break }
                Self.thread { [weak self] in
                    while let request = Self.read(socket) {
                        guard let server = self else { break }
                        server.seen.withLock { $0.append(request) }
                        guard server.perform(respond(request), on: socket) else { break }
                    }
                    close(socket)
                }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Whether the connection is kept.
    private func perform(_ action: Action, on socket: Int32) -> Bool {
        switch action {
        case .answer(let status, let headers, let body):
            let head = ["HTTP/1.1 \(status) Status", "Content-Length: \(body.count)"] + headers
            return write(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body, on: socket)
        case .raw(let text):
            _ = write(Array(text.utf8), on: socket)
            return false
        case .silence:
            var byte: UInt8 = 0
            while recv(socket, &byte, 1, 0) > 0 {}
            return false
        case .endless(let head):
            let piece = [UInt8](repeating: 0x20, count: 1 << 20)
            guard write(Array((head + "\r\n\r\n").utf8), on: socket) else { return false }
            while write(piece, on: socket) { sent.add(piece.count, ordering: .acquiringAndReleasing) }
            return false
        }
    }

    private func write(_ bytes: [UInt8], on socket: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    /// A request without a body; nil at the end of the connection.
    private static func read(_ socket: Int32) -> Request? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard recv(socket, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
            // The beginning of something else, such as TLS.
            guard bytes[0] == UInt8(ascii: "G") else { return nil }
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
        let parts = lines[0].split(separator: " ")
        guard parts.count == 3, parts[0] == "GET" else { return nil }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let end = line.firstIndex(of: ":") ?? line.endIndex
            return (String(line[..<end]), String(line[end...].dropFirst().drop { $0 == " " }))
        }
        return Request(target: String(parts[1]), headers: headers)
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        final class Start: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Start(body)).toOpaque())
        precondition(result == 0, "no thread")
        pthread_detach(thread)
    }
}
