import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// What a server may answer, whole.
    @Suite struct AnswerTests {
        @Test func answerWithHeadersInAnyLetterCase() async throws {
            let server = RawServer.answering(
                "HTTP/1.1 203 Fine\r\nContent-Length: 5\r\nX-First: 1 \r\nx-first: 2\r\nX-Folded: a\r\n b\r\n\r\nhello")
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(url: server.url + "/a?b=c"))
                #expect(response.status == 203)
                #expect(response.text == "hello")
                #expect(response.header("x-FIRST") == "1")
                #expect(response.header("X-Folded") == "a b")
                #expect(response.header("absent") == nil)
                #expect(response.url == server.url + "/a?b=c")
            }
        }

        @Test func errorStatusIsAnAnswer() async throws {
            let server = RawServer.answering("HTTP/1.1 503 Loading\r\nContent-Length: 2\r\n\r\nno")
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(url: server.url))
                #expect(response.status == 503)
                #expect(response.text == "no")
            }
        }

        /// Options stay on a handle from one GET to the next. Nothing else does.
        @Test func nothingOfARequestIsLeftToTheNext() async throws {
            let server = RawServer { connection in
                while let head = connection.readHead() {
                    let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                    if let count = length.flatMap({ Int($0.dropFirst(16)) }) { _ = connection.read(count) }
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
                }
            }
            try await withClient { client async throws in
                var secret = HTTPRequest(url: server.url + "/secret")
                secret.headers = [("Authorization", "Bearer sk-secret"), ("X-Mine", "1"), ("User-Agent", "me")]
                secret.totalTimeout = .milliseconds(900)
                var post = HTTPRequest(url: server.url + "/post")
                post.method = "POST"
                post.body = .bytes(Array("body".utf8))
                var raw = HTTPRequest(url: server.url + "/raw")
                raw.decodesContent = false
                let user = HTTPRequest(url: server.url.replacing("http://", with: "http://me:pw@") + "/user")
                let plain = try await client.execute(HTTPRequest(url: server.url + "/plain")).text
                for former in [secret, post, raw, user, secret] {
                    _ = try await client.execute(former)
                    #expect(try await client.execute(HTTPRequest(url: server.url + "/plain")).text == plain)
                }
                #expect(plain.hasPrefix("GET /plain HTTP/1.1\r\n") && plain.contains("Accept-Encoding"))
                #expect(!plain.contains("Authorization") && !plain.contains("X-Mine"))
                #expect(server.connectionCount == 1)
                #expect(try await !client.execute(raw).text.contains("Accept-Encoding"))
            }
        }

        @Test func requestAsSent() async throws {
            let server = RawServer { connection in
                while let head = connection.readHead() {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
                }
            }
            try await withClient { client async throws in
                var request = HTTPRequest(url: server.url + "/path?query=1")
                request.headers = [
                    ("Authorization", "Bearer x"), ("X-Empty", ""), ("Content-Length", "9"), ("Expect", "x"),
                ]
                let lines = try await client.execute(request).text.split(separator: "\r\n").map(String.init)
                #expect(lines.first == "GET /path?query=1 HTTP/1.1")
                #expect(lines.contains("Authorization: Bearer x"))
                #expect(lines.contains("User-Agent: rollcall"))
                #expect(lines.contains("X-Empty:"))
                #expect(lines.contains { $0.hasPrefix("Accept-Encoding: ") && $0.contains("gzip") })
                #expect(!lines.contains { $0.hasPrefix("Content-Length") || $0.hasPrefix("Expect") })
                request.method = "DELETE"
                #expect(try await client.execute(request).text.hasPrefix("DELETE /path"))
            }
        }

        @Test func headHasNoBody() async throws {
            let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(server.url) { $0.method = "HEAD" })
                #expect(response.header("content-length") == "500")
                #expect(response.body.isEmpty)
            }
        }

        @Test func informationalHeadsAndTrailersAreLeftOut() async throws {
            let server = RawServer.answering(
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "2\r\nok\r\n0\r\nX-Trailer: y\r\n\r\n")
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(url: server.url))
                #expect(response.status == 200)
                #expect(response.headers.map(\.name) == ["Transfer-Encoding"])
                #expect(response.text == "ok")
            }
        }

        /// Every border between two segments: inside sizes, extensions, line ends, and data.
        @Test func chunkedWithOddBorders() async throws {
            let response =
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "1;ext=\"a\"\r\nh\r\n0004\r\nello,\r\nA\r\n 0123456789\r\n".replacing("ello,", with: "ello")
                .replacing(" 0123456789", with: "0123456789") + "0\r\n\r\n"
            let server = RawServer { connection in
                while connection.readHead() != nil {
                    for byte in response.utf8 { connection.write([byte]) }
                }
            }
            try await withClient { client async throws in
                #expect(try await client.execute(HTTPRequest(url: server.url)).text == "hello0123456789")
            }
        }

        @Test func bodyUntilTheConnectionCloses() async throws {
            let server = RawServer.answeringOnce("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it")
            try await withClient { client async throws in
                #expect(try await client.execute(HTTPRequest(url: server.url)).text == "all of it")
            }
        }

        @Test func gzipIsDecoded() async throws {
            let text = String(repeating: "models ", count: 20_000)
            let packed = try gzip(Array(text.utf8))
            let server = serving(packed, headers: "Content-Encoding: gzip\r\n")
            try await withClient { client async throws in
                #expect(packed.count < text.utf8.count / 50)
                #expect(try await client.execute(HTTPRequest(url: server.url)).text == text)
            }
        }

        @Test func connectionsAreUsedAgain() async throws {
            let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
            try await withClient { client async throws in
                for _ in 0..<50 { #expect(try await client.execute(HTTPRequest(url: server.url)).status == 200) }
                #expect(server.connectionCount == 1)
            }
        }
    }
}

/// A server that sends one body, with a length and more headers.
func serving(_ body: [UInt8], headers: String = "") -> RawServer {
    RawServer { connection in
        while connection.readHead() != nil {
            connection.write(
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\(headers)\r\n".utf8) + body)
        }
    }
}
