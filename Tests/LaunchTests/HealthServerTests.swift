import Foundation
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Launch

@Suite("Health", .timeLimit(.minutes(1)))
struct HealthServerTests {
    private final class State: Sendable {
        let ready = Atomic(false)
    }

    /// Runs a server while `body` runs, which is given its port.
    private func withServer(
        idleTimeout: TimeAmount = .seconds(30), readiness: @escaping @Sendable () async -> Readiness,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = HealthServer(
            host: "127.0.0.1", port: 0, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            idleTimeout: idleTimeout, onRunning: { port.yield($0) }, readiness: readiness)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let number = try #require(await ports.first { _ in true })
            try await body(number)
            group.cancelAll()
        }
    }

    private func isReady() -> Readiness { Readiness(isReady: true) }

    /// All that the server sends on a connection, to its end.
    private func exchange(_ port: Int, _ text: String) async -> String {
        await onThread {
            let socket = RawSocket.connect(port: port)
            socket.write(text)
            return socket.readRest()
        }
    }

    private func get(_ path: String, _ port: Int) async -> (head: String, body: String) {
        let parts = await exchange(port, "GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }

    @Test("/healthz answers always, /readyz by what the process says")
    func answers() async throws {
        let state = State()
        let readiness: @Sendable () async -> Readiness = {
            Readiness(
                isReady: state.ready.load(ordering: .relaxed),
                fields: [("broker", "con\"nected"), ("jobs", 3), ("age", 1.5), ("alone", true), ("tick", nil)])
        }
        try await withServer(readiness: readiness) { port in
            let health = await get("/healthz", port)
            #expect(health.head.hasPrefix("HTTP/1.1 200 OK\r\n") && health.body == #"{"status":"ok"}"# + "\n")
            let unready = await get("/readyz", port)
            #expect(unready.head.hasPrefix("HTTP/1.1 503 "))
            #expect(unready.head.lowercased().contains("\r\ncontent-type: application/json"))
            #expect(unready.head.lowercased().contains("\r\ncache-control: no-store"))
            #expect(
                unready.body
                    == #"{"ready":false,"broker":"con\"nected","jobs":3,"age":1.5,"alone":true,"tick":null}"# + "\n")
            state.ready.store(true, ordering: .relaxed)
            #expect(await get("/readyz?verbose", port).head.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("Other paths are 404, other methods 405 with Allow, and a head alone has no body")
    func refusals() async throws {
        try await withServer(readiness: isReady) { port in
            let missing = await get("/metrics", port)
            #expect(missing.head.hasPrefix("HTTP/1.1 404 ") && missing.body.contains(#""code":"not_found""#))
            let post = await exchange(
                port, "POST /readyz HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            #expect(post.hasPrefix("HTTP/1.1 405 ") && post.contains("\r\nAllow: GET, HEAD\r\n"))
            #expect(post.contains(#""code":"method_not_allowed""#))
            let head = await exchange(port, "HEAD /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 ") && head.contains("\r\nContent-Length: 16\r\n"))
            #expect(head.hasSuffix("\r\n\r\n"))
        }
    }

    @Test(
        "A connection is closed after an answer unless the client keeps it",
        arguments: [
            ("GET /healthz HTTP/1.0\r\n\r\n", 1), ("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", 1),
            (
                "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                    + "GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: TE, close\r\n\r\n", 2
            ),
            (
                "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + "GET /healthz HTTP/1.0\r\n\r\n", 2
            ),
        ])
    func closing(request: String, answers: Int) async throws {
        try await withServer(readiness: isReady) { port in
            let text = await exchange(port, request)
            #expect(text.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == answers + 1)
            #expect(text.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test("What is no request, and a head without end, is refused and closed")
    func garbage() async throws {
        try await withServer(readiness: isReady) { port in
            let text = await exchange(port, "hello\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.contains(#""code":"invalid_request""#))
            let endless = await exchange(
                port, "GET /healthz HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000) + "\r\n\r\n")
            #expect(endless.isEmpty || endless.hasPrefix("HTTP/1.1 431 "))
            let body = await exchange(
                port,
                "GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n"
                    + String(repeating: "x", count: 100_000))
            #expect(body.isEmpty)
        }
    }

    @Test("Idle connections are closed, and keep nobody from asking")
    func idle() async throws {
        try await withServer(idleTimeout: .milliseconds(200), readiness: isReady) { port in
            let idle = (0..<200).map { _ in RawSocket.connect(port: port) }
            idle[0].write("GET /healthz HTT")
            #expect(await get("/healthz", port).head.hasPrefix("HTTP/1.1 200 "))
            await onThread { for socket in idle { socket.waitForClose() } }
        }
    }

    @Test("An address that is taken ends the process with a line that names the setting")
    func taken() async throws {
        try await withServer(readiness: isReady) { port in
            let second = HealthServer(
                host: "127.0.0.1", port: port, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                readiness: isReady)
            let exit = try await #require(throws: ProcessExit.self) { try await second.run() }
            #expect(
                exit.code == 1 && exit.message.hasPrefix("ROLLCALL_HEALTH_PORT: cannot listen on 127.0.0.1:\(port)"))
        }
    }
}

@Suite("An address that a server does not get")
struct CannotListenTests {
    @Test(
        "The setting to change comes first",
        arguments: [
            (EADDRINUSE, Int32(1), "ROLLCALL_PORT: cannot listen on h:80: the port is in use"),
            (EACCES, 78, "ROLLCALL_PORT: cannot listen on h:80: this user may not"),
            (EADDRNOTAVAIL, 78, "ROLLCALL_HOST: cannot listen on h:80: the address is none of this host"),
            (EAFNOSUPPORT, 1, "ROLLCALL_PORT: cannot listen on h:80: Address family not supported"),
        ])
    func reason(errno: Int32, code: Int32, beginning: String) {
        let exit = ProcessExit.cannotListen(
            "h", 80, portSetting: "ROLLCALL_PORT", hostSetting: "ROLLCALL_HOST",
            because: IOError(errnoCode: errno, reason: "bind"))
        #expect(exit.code == code && exit.message.hasPrefix(beginning))
    }
}
