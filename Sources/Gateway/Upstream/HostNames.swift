import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Looks up host names on threads of its own, since `getaddrinfo` blocks, and remembers the answers.
///
/// A name that is being looked up is asked for once, so that a name server that does not answer holds one thread for
/// each such name and not one for each request. Failures are remembered too, for a shorter time.
final class HostNames: Sendable {
    struct LookupFailed: Error, CustomStringConvertible {
        /// `getaddrinfo`'s own words.
        let description: String
    }

    private typealias Addresses = Result<[SocketAddress], LookupFailed>

    private enum Entry {
        case pending([EventLoopPromise<[SocketAddress]>])
        case known(Addresses, until: NIODeadline)
    }

    /// How long an answer counts. `getaddrinfo` does not tell the records' own times to live.
    static let lifetime = TimeAmount.seconds(30)
    /// How long a failure counts: a name that has just been made should be found soon.
    static let failureLifetime = TimeAmount.seconds(2)
    /// More names than this are not remembered.
    static let capacity = 10_000

    private let threads: NIOThreadPool
    private let entries = Mutex<[String: Entry]>([:])
    private let query: @Sendable (String) -> Result<[SocketAddress], LookupFailed>

    /// - Parameter query: looks a name up and may block; tests replace it
    init(
        threads: Int = 4,
        query: @escaping @Sendable (String) -> Result<[SocketAddress], LookupFailed> = HostNames.systemLookup
    ) {
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
        self.query = query
    }

    /// Lets the threads end. A lookup that blocks is not waited for.
    func shutdown() { threads.shutdownGracefully { _ in } }

    /// The addresses of `host`, each with port 0.
    func addresses(of host: String, on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        let (known, mustAsk) = entries.withLock { entries -> (Addresses?, Bool) in
            switch entries[host] {
            case .known(let result, let until) where until > .now():
                return (result, false)
            case .pending(let waiting):
                entries[host] = .pending(waiting + [promise])
                return (nil, false)
            default:
                entries[host] = .pending([promise])
                return (nil, true)
            }
        }
        if let known { promise.completeWith(known.mapError { $0 }) }
        if mustAsk {
            threads.submit { [self] state in
                finish(
                    host, state == .active ? query(host) : .failure(LookupFailed(description: "the gateway stops")))
            }
        }
        return promise.futureResult
    }

    private func finish(_ host: String, _ result: Addresses) {
        let lifetime: TimeAmount
        switch result {
        case .success: lifetime = Self.lifetime
        case .failure: lifetime = Self.failureLifetime
        }
        let waiting = entries.withLock { entries -> [EventLoopPromise<[SocketAddress]>] in
            guard case .pending(let waiting)? = entries[host] else { return [] }
            if entries.count > Self.capacity { Self.forgetExpired(&entries) }
            entries[host] = entries.count > Self.capacity ? nil : .known(result, until: .now() + lifetime)
            return waiting
        }
        for promise in waiting { promise.completeWith(result.mapError { $0 }) }
    }

    private static func forgetExpired(_ entries: inout [String: Entry]) {
        let now = NIODeadline.now()
        entries = entries.filter { _, entry in
            if case .known(_, let until) = entry { until > now } else { true }
        }
    }

    static func systemLookup(_ host: String) -> Result<[SocketAddress], LookupFailed> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failure(LookupFailed(description: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr {
                if info.ai_family == AF_INET {
                    let v4 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
                    addresses.append(SocketAddress(v4, host: host))
                } else if info.ai_family == AF_INET6 {
                    let v6 = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
                    addresses.append(SocketAddress(v6, host: host))
                }
            }
            next = info.ai_next
        }
        return .success(addresses)
    }
}

/// One connection attempt's view of `HostNames`, in the form in which NIO's happy eyeballs (RFC 8305) asks.
struct HostNameResolver: Resolver, Sendable {
    let names: HostNames
    let eventLoop: any EventLoop

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        addresses(host, port) { if case .v4 = $0 { true } else { false } }
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        addresses(host, port) { if case .v6 = $0 { true } else { false } }
    }

    /// A lookup that nobody waits for any more still fills the cache.
    func cancelQueries() {}

    private func addresses(
        _ host: String, _ port: Int, where isWanted: @escaping @Sendable (SocketAddress) -> Bool
    ) -> EventLoopFuture<[SocketAddress]> {
        names.addresses(of: host, on: eventLoop).map { all in
            all.filter(isWanted).map { address in
                var address = address
                address.port = port
                return address
            }
        }
    }
}
