import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Simulator

@Suite("The simulator's HTTP server", .timeLimit(.minutes(1)))
struct ServerTests {
    /// Answers with the path, in chunks below `/chunks`, and without reading the request's body.
    private static func echo(_ request: Request) async throws -> Response {
        let text = ByteBuffer(string: request.path)
        guard request.path.hasPrefix("/chunks") else { return Response(status: .ok, body: .init(byteBuffer: text)) }
        return Response(status: .ok, body: ResponseBody { writer in try await writer.write(text) })
    }

    /// 18 MB in parts of which many wait for the socket at once.
    private static let long = ResponseBody(contentLength: 300 * 60_000) { writer in
        let part = ByteBuffer(repeating: 1, count: 60_000)
        for _ in 0..<300 { try await writer.write(part) }
    }

    /// What a client gets for these bytes until the server closes, without the lines of `Date`.
    private func exchange(_ sent: String) async throws -> String {
        let answers = Mutex("")
        try await withServer(Self.echo) { client in
            let socket = RawSocket.connect(port: client.port)
            let text = try await blocking(socket) {
                socket.write(sent)
                return socket.readRest()
            }
            answers.withLock { $0 = text.replacing(/Date: [^\r]*\r\n/, with: "") }
        }
        return answers.withLock { $0 }
    }

    @Test("Requests that come at once are answered one after the other")
    func pipelined() async throws {
        let answers = try await exchange(
            "GET /1?q=/x HTTP/1.1\r\n\r\nGET http://host:1/chunks HTTP/1.1\r\n\r\n"
                + "GET /3 HTTP/1.1\r\nConnection: close\r\n\r\nGET /4 HTTP/1.1\r\n\r\n")
        #expect(
            answers == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/1"
                + "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n/chunks\r\n0\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/3")
    }

    @Test("A body that nobody reads is dropped before the next request")
    func unread() async throws {
        let body = String(repeating: "x", count: 1 << 20)
        let answers = try await exchange(
            "POST /1 HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                + "POST /2 HTTP/1.1\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(answers.hasSuffix("\r\n\r\n/2") && answers.contains("\r\n\r\n/1HTTP/1.1 200 OK\r\n"))
    }

    @Test("HEAD has the head alone, and HTTP/1.0 has no chunks")
    func versions() async throws {
        let head = try await exchange(
            "HEAD /long HTTP/1.1\r\n\r\nHEAD /5 HTTP/1.1\r\nConnection: close\r\n\r\n")
        #expect(
            head == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n")
        let old = try await exchange(
            "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(
            old == "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n/a"
                + "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n/chunks")
    }

    @Test("What is no HTTP is refused with 400")
    func malformed() async throws {
        #expect(try await exchange("no HTTP\r\n\r\n").hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    @Test("A client that sends no more gets its answer")
    func halfClosed() async throws {
        try await withServer(Self.echo) { client in
            let socket = RawSocket.connect(port: client.port)
            let answer = try await blocking(socket) {
                socket.write("GET /1 HTTP/1.1\r\n\r\n")
                socket.finishSending()
                return socket.readRest()
            }
            #expect(answer.hasSuffix("\r\n\r\n/1"))
        }
    }

    @Test("A failure tells its status, and why")
    func failure() async throws {
        let respond: Respond = { request in
            _ = try await request.body.collect(upTo: 4)
            throw HTTPFailure(.badRequest, message: #"no "x""#)
        }
        try await withServer(respond) { client in
            let small = try await client.control(.put, "", "1234")
            #expect(small.status == .badRequest)
            #expect(String(buffer: small.body) == #"{"error":{"message":"no \"x\""}}"#)
            #expect(try await client.control(.put, "", "12345").status == .contentTooLarge)
        }
    }

    @Test("The last answer arrives whole, however slowly it is read")
    func last() async throws {
        let respond: Respond = { _ in Response(status: .ok, body: Self.long) }
        try await withServer(respond) { client in
            let socket = RawSocket.connect(port: client.port, receiveBuffer: 4096)
            let bytes = try await blocking(socket) {
                socket.write("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                _ = socket.readHead()
                return socket.read(.max).count
            }
            #expect(bytes == Self.long.contentLength)
        }
    }

    @Test("A body is written as fast as it is read, and not faster")
    func backpressure() async throws {
        let written = Atomic(0)
        let end = Event()
        let part = ByteBuffer(repeating: 1, count: 1 << 20)
        let body = ResponseBody { writer in
            defer { end.happen() }
            for _ in 0..<1000 {
                try await writer.write(part)
                written.add(1, ordering: .relaxed)
            }
        }
        let respond: Respond = { _ in Response(status: .ok, body: body) }
        try await withServer(respond) { client in
            let socket = RawSocket.connect(port: client.port)
            _ = try await blocking(socket) {
                socket.write("GET / HTTP/1.1\r\n\r\n")
                return socket.read(1 << 20)
            }
            socket.close()
            await end.wait()
        }
        // What the sockets of both sides hold, which is some megabytes.
        #expect(written.load(ordering: .relaxed) < 50)
    }

    @Test("A stop in the moment of a connection ends it and not the process")
    func stopWhileClientsConnect() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        for _ in 0..<20 {
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let server = HTTPServer(
                host: "127.0.0.1", port: 0, logger: logger, onRunning: { port.yield($0) }, respond: Self.echo)
            let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
            async let running: Void = group.run()
            let place = try #require(await ports.first { _ in true })
            await withDiscardingTaskGroup { tasks in
                for number in 0..<50 {
                    tasks.addTask {
                        if number == 25 { await group.triggerGracefulShutdown() }
                        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        // Refused once the server has stopped.
                        guard let client = try? await bootstrap.connect(host: "127.0.0.1", port: place).get() else {
                            return
                        }
                        // The server ends what it has accepted.
                        try? await client.closeFuture.get()
                    }
                }
            }
            try await running
        }
    }

    @Test("A graceful stop closes idle connections, ends waiting answers, and lets the others end")
    func stop() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let (hangs, isSlow, mayAnswer) = (Event(), Event(), Event())
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(
            host: "127.0.0.1", port: 0, logger: logger, onRunning: { port.yield($0) },
            respond: { request in
                if request.path == "/hang" {
                    hangs.happen()
                    try await request.connection.hang(request)
                }
                if request.path == "/slow" {
                    isSlow.happen()
                    await mayAnswer.wait()
                    return Response(status: .ok, body: Self.long)
                }
                return try await Self.echo(request)
            })
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
        async let running: Void = group.run()
        let place = try #require(await ports.first { _ in true })
        let (idle, hanging, slow) = (
            RawSocket.connect(port: place), RawSocket.connect(port: place),
            RawSocket.connect(port: place, receiveBuffer: 4096)
        )
        let first = try await blocking(idle) {
            idle.write("GET / HTTP/1.1\r\n\r\n")
            return idle.read(until: "\r\n\r\n/")
        }
        #expect(first.hasPrefix("HTTP/1.1 200 OK"))
        slow.write("GET /slow HTTP/1.1\r\n\r\n")
        // It waits for the body, which never comes.
        hanging.write("POST /hang HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        await hangs.wait()
        await isSlow.wait()
        await group.triggerGracefulShutdown()
        for socket in [idle, hanging] { #expect(try await blocking(socket) { socket.readRest() } == "") }
        mayAnswer.happen()
        let (head, bytes) = try await blocking(slow) { (slow.readHead(), slow.read(.max).count) }
        #expect(head?.contains("Connection: close") == true && bytes == Self.long.contentLength)
        try await running
    }
}
