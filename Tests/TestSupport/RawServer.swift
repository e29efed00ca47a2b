public import Glibc
import Synchronization

/// A TCP server that does what a script tells it, to the byte: an accepting thread, and a thread a connection.
public final class RawServer: Sendable {
    public let host: String
    public let port: Int
    private let listener: Int32
    private let connections = Atomic(0)

    /// How many connections were accepted.
    public var connectionCount: Int { connections.load(ordering: .acquiring) }
    public var url: String { "http://\(host):\(port)" }

    /// `serve` is called on a thread of its own for each connection, which is closed when it returns.
    ///
    /// - Parameter port: 0 for any that is free.
    public init(host: String = "127.0.0.1", port: Int = 0, _ serve: @escaping @Sendable (RawSocket) -> Void) {
        (listener, self.port) = listenOnLoopback(host: host, port: port, backlog: 4096)
        self.host = host
        let listener = listener
        spawnThread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else {
                    if errno == EINTR || errno == ECONNABORTED { continue }
                    break
                }
                self?.connections.add(1, ordering: .acquiringAndReleasing)
                spawnThread {
                    let connection = RawSocket(socket)
                    serve(connection)
                    connection.close()
                }
            }
            close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Answers every request with the same bytes, and keeps the connection.
    public static func answering(host: String = "127.0.0.1", _ response: String) -> RawServer {
        RawServer(host: host) { connection in
            while connection.readHead() != nil { connection.write(response) }
        }
    }

    /// Answers the first request, and closes.
    public static func answeringOnce(_ response: String) -> RawServer {
        RawServer { connection in
            if connection.readHead() != nil { connection.write(response) }
        }
    }
}

extension Array where Element == UInt8 {
    func ends(with suffix: some Collection<UInt8>) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
}

/// A listening socket and its port.
public func listenOnLoopback(host: String, port: Int, backlog: Int32) -> (socket: Int32, port: Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(listener >= 0)
    var reuses: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuses, socklen_t(MemoryLayout<Int32>.size))
    let bound = withAddress(host: host, port: port) { bind(listener, $0, $1) }
    precondition(bound == 0 && listen(listener, backlog) == 0)
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(listener, $0, &length) }
    }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
}

public func withAddress<Result>(host: String, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result)
    -> Result
{
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}

/// A detached thread with a small stack: there are thousands of them.
public func spawnThread(_ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
    defer { attributes.deallocate() }
    pthread_attr_init(attributes)
    pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(attributes, 256 << 10)
    var thread = pthread_t()
    let result = pthread_create(
        &thread, attributes,
        { context in
            if let context { Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Start(body)).toOpaque())
    precondition(result == 0, "no thread")
    pthread_attr_destroy(attributes)
}
