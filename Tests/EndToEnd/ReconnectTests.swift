import Foundation
import Synchronization
import Testing

/// Descriptors, threads, and memory of a process that loses its broker again and again.
@Suite(.serialized, .enabled(if: TestBroker.isAvailable, "needs scripts/test"))
struct ReconnectTests {
    /// Each cut makes both connections of the process anew. Figures of 1,000 reconnects are had with
    /// `ROLLCALL_TEST_CUTS=500`.
    private var cuts: Int {
        ProcessInfo.processInfo.environment["ROLLCALL_TEST_CUTS"].flatMap { Int($0) } ?? 100
    }

    @Test(.timeLimit(.minutes(20)))
    func resourcesStayFlat() async throws {
        try await Deployment.run { deployment in
            let relay = try Relay(to: deployment.broker.port)
            defer { relay.stop() }
            _ = try await deployment.registrar()
            let gateway = try await deployment.readyGateway(
                "gateway", ["ROLLCALL_AMQP_URL": "amqp://guest:guest@127.0.0.1:\(relay.port)/"])

            func reconnect() async throws {
                // One that breaks at once is waited for longer each time; these are to have proved themselves.
                try await Task.sleep(for: .milliseconds(250))
                let before = relay.accepted
                relay.cut()
                try await eventually("both connections are there again", within: .seconds(30)) {
                    guard relay.accepted >= before + 2 else { return false }
                    let state = try await gateway.server.get("/readyz").json()["broker"]
                    return state["publish"].string == "connected" && state["consume"].string == "connected"
                }
            }
            for _ in 1...20 { try await reconnect() }
            let early = try gateway.process.resources
            for _ in 1...cuts { try await reconnect() }
            let late = try gateway.process.resources
            print("after 40 reconnects \(early), after \(2 * cuts + 40) \(late)")
            #expect(late.descriptors <= early.descriptors + 2)
            #expect(late.threads <= early.threads + 2)
            #expect(late.memory < early.memory + (8 << 20))
        }
    }
}

/// Passes TCP connections on to the broker, and cuts all of them when told.
private final class Relay: Sendable {
    let port: Int
    private let listener: Int32
    private let target: Int
    private struct State {
        var accepted = 0
        var open: Set<Int32> = []
    }
    private let state = Mutex(State())

    var accepted: Int { state.withLock { $0.accepted } }

    init(to target: Int) throws {
        self.target = target
        port = try Ports.free()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard Self.withAddress(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw CommandFailed(description: "cannot listen on \(port): errno \(errno)")
        }
        Thread.detachNewThread { self.accept() }
    }

    private static func withAddress<T>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else {
                close(client)
                close(server)
                continue
            }
            state.withLock { state in
                state.accepted += 1
                state.open.formUnion([client, server])
            }
            Thread.detachNewThread { self.pump(client, server) }
        }
    }

    /// Both ways on one thread, until either side ends.
    private func pump(_ left: Int32, _ right: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var polled = [
            pollfd(fd: left, events: Int16(POLLIN), revents: 0), pollfd(fd: right, events: Int16(POLLIN), revents: 0),
        ]
        pumping: while poll(&polled, 2, -1) > 0 {
            for (index, from) in [left, right].enumerated() where polled[index].revents != 0 {
                let count = recv(from, &buffer, buffer.count, 0)
                guard count > 0 else { break pumping }
                var sent = 0
                while sent < count {
                    let written = buffer.withUnsafeBytes {
                        send(
                            index == 0 ? right : left, $0.baseAddress! + sent, count - sent,
                            Int32(MSG_NOSIGNAL))
                    }
                    guard written > 0 else { break pumping }
                    sent += written
                }
            }
        }
        state.withLock { state in
            state.open.subtract([left, right])
            close(left)
            close(right)
        }
    }

    /// Ends every connection that is open now, both ways.
    func cut() {
        state.withLock { state in
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        cut()
        close(listener)
    }
}
