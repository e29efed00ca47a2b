import Glibc
import Synchronization
import Threads

@testable import AMQP

/// A TCP proxy on a thread of its own that can delay, go silent, and cut. It begins by forwarding.
final class FaultyProxy: Sendable {
    enum Mode: Sendable, Equatable {
        case forward
        /// What comes is passed on so much later.
        case delay(milliseconds: Int32)
        /// Reads nothing, writes nothing, closes nothing.
        case silent
        /// Passes so many bytes more to the client, then closes.
        case cut(afterBytes: Int)
    }

    private struct State {
        var mode = Mode.forward
        var stopped = false
    }

    /// The two sides of one connection through the proxy.
    private struct Pair {
        let client: Int32
        let server: Int32
    }

    let url: String
    private let listener: Int32
    private let target: UInt16
    private let state = Mutex(State())
    private let wakeup = Wakeup()

    /// Forwards to the broker of `url`, which is on 127.0.0.1.
    init(to url: String) throws {
        target = try BrokerURL(url).port
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size)
                listen(listener, 16)
                getsockname(listener, address, &size)
            }
        }
        self.url = "amqp://guest:guest@127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
    }

    /// Runs the proxy around `body`.
    func whileRunning<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await OwnedThread(name: "proxy") { self.work() }.join() }
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            state.withLock { $0.stopped = true }
            wakeup.signal()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    func set(_ mode: Mode) {
        state.withLock { $0.mode = mode }
        wakeup.signal()
    }

    private func work() {
        var pairs: [Pair] = []
        while true {
            if case .cut(afterBytes: 0) = state.withLock({ $0.mode }) {
                pairs.forEach(Self.close)
                pairs = []
                state.withLock { $0.mode = .forward }
            }
            let (mode, stopped) = state.withLock { ($0.mode, $0.stopped) }
            if stopped { break }
            var descriptors = [pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)]
            if mode != .silent {
                descriptors.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
                for pair in pairs {
                    descriptors.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
                    descriptors.append(pollfd(fd: pair.server, events: Int16(POLLIN), revents: 0))
                }
            }
            poll(&descriptors, nfds_t(descriptors.count), -1)
            wakeup.clear()
            // The mode may have changed while we slept.
            guard state.withLock({ $0.mode }) == mode, mode != .silent else { continue }
            if descriptors[1].revents != 0 { pairs += accepted() }
            pairs = pairs.enumerated().filter { index, pair in
                let place = 2 + 2 * index
                guard place + 1 < descriptors.count else { return true }
                let alive =
                    (descriptors[place].revents == 0 || move(from: pair.client, to: pair.server, mode))
                    && (descriptors[place + 1].revents == 0
                        || move(from: pair.server, to: pair.client, mode, counts: true))
                if !alive { Self.close(pair) }
                return alive
            }.map(\.element)
        }
        pairs.forEach(Self.close)
        Glibc.close(listener)
    }

    private func accepted() -> [Pair] {
        let client = accept(listener, nil, nil)
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: target)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let pair = Pair(client: client, server: server)
        if client >= 0, connected == 0 { return [pair] }
        Self.close(pair)
        return []
    }

    /// Returns whether the connection goes on.
    private func move(from source: Int32, to sink: Int32, _ mode: Mode, counts: Bool = false) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var count = read(source, &buffer, buffer.count)
        if count <= 0 { return false }
        if case .delay(let milliseconds) = mode { poll(nil, 0, milliseconds) }
        if counts, case .cut(let rest) = mode {
            count = min(count, rest)
            state.withLock { $0.mode = .cut(afterBytes: rest - count) }
        }
        var written = 0
        while written < count {
            let result = buffer[written..<count].withUnsafeBytes {
                send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if result <= 0 { return false }
            written += result
        }
        return true
    }

    private static func close(_ pair: Pair) {
        Glibc.close(pair.client)
        Glibc.close(pair.server)
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
