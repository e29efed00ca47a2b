import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// A name server that does not answer, in a mount namespace of its own: the thread that makes the client gets it, the
    /// client's thread and its resolver threads inherit it, and the rest of the process keeps the system's.
    @Suite(
        .enabled(if: HangingResolver.isAllowed, "unsharing a mount namespace and port 53 need root"))
    struct ResolverTests {
        /// Without CURLOPT_QUICK_EXIT the loop waits for the resolver's thread once the first transfer gives up.
        @Test func hangingResolverHoldsUpNobody() async throws {
            let resolver = try HangingResolver()
            let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            let client = try await resolver.makeClient()
            let request = HTTPRequest("http://hangs.example/") { $0.connectTimeout = .milliseconds(500) }
            async let hanging = client.failure(executing: request)
            let end = ContinuousClock.now + .seconds(2)
            var slowest = Duration.zero
            while ContinuousClock.now < end {
                let start = ContinuousClock.now
                #expect(try await client.execute(HTTPRequest(url: server.url)).status == 200)
                slowest = max(slowest, start.duration(to: .now))
            }
            #expect(await hanging?.code == .connectTimeout)
            #expect(slowest < .seconds(1))
            #expect(resolver.wasAsked)
            async let last = client.failure(executing: HTTPRequest(url: "http://hangs-too.example/"))
            _ = try await client.execute(HTTPRequest(url: server.url))
            let start = ContinuousClock.now
            await client.shutdown()
            #expect(await last?.code == .stopped)
            #expect(start.duration(to: .now) < .seconds(1))
        }
    }
}

/// `unshare(CLONE_NEWNS)` for the calling thread. glibc declares it for _GNU_SOURCE only, which Swift does not set.
private func unshareMounts() -> Int32 {
    guard let symbol = dlsym(nil, "unshare") else { return -1 }
    let unshare = unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)
    return unshare(0x0002_0000)
}

private final class HangingResolver: Sendable {
    private static let address = "127.0.0.153"
    private let socket: Int32
    private let file: String

    static var isAllowed: Bool {
        let probe = Mutex(false)
        let done = Semaphore()
        spawnThread {
            let result = unshareMounts() == 0
            probe.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return geteuid() == 0 && probe.withLock { $0 }
    }

    struct Failed: Error { let what: String }

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try "nameserver \(Self.address)\noptions timeout:5 attempts:2\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let socket = socket
        guard withAddress(host: Self.address, port: 53, { bind(socket, $0, $1) }) == 0 else {
            throw Failed(what: "bind")
        }
    }

    deinit {
        close(socket)
        unlink(file)
    }

    /// A question lies in the socket.
    var wasAsked: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) > 0
    }

    func makeClient() async throws -> HTTPClient {
        let file = file
        return try await withCheckedThrowingContinuation { continuation in
            spawnThread {
                // Private first: the mount must not show outside.
                guard unshareMounts() == 0, mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
                    mount(file, "/etc/resolv.conf", nil, UInt(MS_BIND), nil) == 0
                else { return continuation.resume(throwing: Failed(what: "mount")) }
                continuation.resume(returning: HTTPClient())
            }
        }
    }
}
