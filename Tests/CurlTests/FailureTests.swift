import Glibc
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// Each way to fail has its code.
    @Suite struct FailureTests {
        @Test(arguments: [
            "example.com", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:99999/", "http://a b/",
            "http://",
            "http://127.0.0.1/\r\nX: y", "",
        ]) func badURL(url: String) async throws {
            try await withClient { client async throws in
                #expect(await client.failure(executing: HTTPRequest(url: url))?.code == .invalidURL)
            }
        }

        @Test func badHeaderOrMethod() async throws {
            try await withClient { client async throws in
                let bad: [@Sendable (inout HTTPRequest) -> Void] = [
                    { $0.headers = [("X", "a\r\nY: b")] }, { $0.headers = [("X:", "a")] },
                    { $0.headers = [("X\n", "a")] },
                    { $0.method = "GET / HTTP/1.1\r\n" }, { $0.method = "" }, { $0.headers = [("X", "a\u{0}b")] },
                ]
                for change in bad {
                    let request = HTTPRequest("http://127.0.0.1:1/", change)
                    #expect(await client.failure(executing: request)?.code == .invalidRequest)
                }
            }
        }

        @Test func nameThatCannotBe() async throws {
            // A label of more than 63 letters is refused by the resolver itself: no packet leaves.
            let url = "http://" + String(repeating: "a", count: 70) + ".invalid/"
            try await withClient { client async throws in
                #expect(await client.failure(executing: HTTPRequest(url: url))?.code == .resolve)
            }
        }

        @Test func nobodyListens() async throws {
            let (socket, port) = listenOnLoopback(host: "127.0.0.1", port: 0, backlog: 1)
            close(socket)
            try await withClient { client async throws in
                let error = await client.failure(
                    executing: HTTPRequest(url: "http://user:secret@127.0.0.1:\(port)/?key=hidden"))
                #expect(error?.code == .connect)
                #expect(error?.message.contains("Connection refused") == true)
                #expect(
                    error?.description.contains("secret") == false && error?.description.contains("hidden") == false)
            }
        }

        /// A full backlog drops the SYN, as a host that is off does.
        @Test func connectTimeout() async throws {
            let (listener, port) = listenOnLoopback(host: "127.0.0.1", port: 0, backlog: 0)
            let fillers = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0) }
            for filler in fillers { _ = withAddress(host: "127.0.0.1", port: port) { connect(filler, $0, $1) } }
            defer { for socket in fillers + [listener] { close(socket) } }
            try await withClient { client async throws in
                for total in [nil, Duration.milliseconds(200)] {
                    let request = HTTPRequest("http://127.0.0.1:\(port)/") {
                        $0.connectTimeout = .milliseconds(total == nil ? 200 : 5000)
                        $0.totalTimeout = total
                    }
                    let start = ContinuousClock.now
                    let error = await client.failure(executing: request)
                    #expect(error?.code == .connectTimeout)
                    #expect(.milliseconds(190) ... .seconds(5) ~= start.duration(to: .now))
                }
            }
        }

        @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
        func totalTimeout(sent: String) async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write(sent)
                connection.waitForClose()
            }
            try await withClient { client async throws in
                let start = ContinuousClock.now
                let request = HTTPRequest(server.url) { $0.totalTimeout = .milliseconds(200) }
                #expect(await client.failure(executing: request)?.code == .timeout)
                #expect(.milliseconds(190) ... .seconds(5) ~= start.duration(to: .now))
            }
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Cut",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n",
        ]) func truncated(sent: String) async throws {
            let server = RawServer.answeringOnce(sent)
            try await withClient { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: server.url))
                #expect(error?.code == .truncated)
            }
        }

        @Test(arguments: [true, false]) func resetOrClosedWithNoAnswer(reset: Bool) async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                if reset { connection.resetOnClose() }
            }
            try await withClient { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: server.url))
                #expect(error?.code == .reset)
            }
        }

        @Test(arguments: ["220 mail.example ESMTP\r\n", "\u{1}\u{2}\u{3}garbage\r\n\r\n"])
        func notHTTP(sent: String) async throws {
            let server = RawServer.answeringOnce(sent)
            try await withClient { client async throws in
                let error = await client.failure(executing: HTTPRequest(url: server.url))
                #expect(error?.code == .other)
                #expect(error?.message.contains("mail") == false)
            }
        }

        enum Oversized: CaseIterable { case announced, chunked, bomb, head }

        /// The server goes on until the client closes: the transfer ends at once.
        @Test(arguments: Oversized.allCases) func tooLarge(kind: Oversized) async throws {
            let bomb = try gzip([UInt8](repeating: 0, count: 50 << 20))
            let server = RawServer { connection in
                _ = connection.readHead()
                switch kind {
                case .announced: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\nx")
                case .chunked:
                    connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    while connection.write("2710\r\n" + String(repeating: "x", count: 10_000) + "\r\n") {}
                case .bomb:
                    connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n")
                    connection.write(bomb)
                case .head:
                    connection.write("HTTP/1.1 200 OK\r\n")
                    while connection.write("X: " + String(repeating: "x", count: 10_000) + "\r\n") {}
                }
                connection.waitForClose()
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.maximumBodyBytes = 100_000
                    $0.totalTimeout = nil
                }
                let error = await client.failure(executing: request)
                #expect(error?.code == .tooLarge)
            }
        }

        @Test func exactlyTheLargestBody() async throws {
            let server = serving(pattern(100_000))
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(server.url) { $0.maximumBodyBytes = 100_000 })
                #expect(response.body == pattern(100_000))
            }
        }
    }
}
