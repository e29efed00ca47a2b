import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    @Suite struct RedirectTests {
        /// Says in its body which credentials came.
        private static func credentialsEcho(host: String = "127.0.0.1") -> RawServer {
            RawServer(host: host) { connection in
                while let head = connection.readHead() {
                    let names = head.split(separator: "\r\n").dropFirst().map {
                        $0.split(separator: ":")[0].lowercased()
                    }
                    let text = names.filter { ["authorization", "cookie", "x-other"].contains($0) }.joined(
                        separator: ",")
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
                }
            }
        }

        private static func redirecting(to location: String) -> RawServer {
            .answering("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nX-Old: 1\r\nContent-Length: 3\r\n\r\nold")
        }

        private static func request(_ url: String, redirects: Int) -> HTTPRequest {
            HTTPRequest(url) {
                $0.maximumRedirects = redirects
                $0.headers = [("Authorization", "Bearer secret"), ("Cookie", "a=b"), ("X-Other", "1")]
            }
        }

        @Test func notFollowedByDefault() async throws {
            let server = Self.redirecting(to: "http://127.0.0.1:1/")
            try await withClient { client async throws in
                let response = try await client.execute(HTTPRequest(url: server.url))
                #expect(response.status == 302)
                #expect(response.text == "old")
                #expect(response.url == server.url)
            }
        }

        @Test func followedOnTheSameOriginWithCredentials() async throws {
            let server = RawServer { connection in
                while let head = connection.readHead() {
                    if head.hasPrefix("GET /new ") {
                        let hasKey = head.contains("Bearer secret")
                        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(hasKey ? "y" : "n")")
                    } else {
                        connection.write(
                            "HTTP/1.1 301 Moved\r\nLocation: /new\r\nX-Old: 1\r\nContent-Length: 3\r\n\r\nold")
                    }
                }
            }
            try await withClient { client async throws in
                let response = try await client.execute(Self.request(server.url + "/old", redirects: 1))
                #expect(response.text == "y")
                #expect(response.url == server.url + "/new")
                #expect(response.header("X-Old") == nil)
                let stream = try await client.stream(Self.request(server.url + "/old", redirects: 1))
                #expect(stream.status == 200)
                #expect(stream.url == server.url + "/new")
                #expect(try await stream.collect() == Array("y".utf8))
            }
        }

        /// Another host, and another port of the same host.
        @Test(arguments: ["127.0.0.2", "127.0.0.1"]) func credentialsStayWithTheirHost(host: String) async throws {
            let target = Self.credentialsEcho(host: host)
            let server = Self.redirecting(to: target.url + "/")
            try await withClient { client async throws in
                #expect(
                    try await client.execute(Self.request(target.url, redirects: 0)).text
                        == "authorization,cookie,x-other")
                #expect(try await client.execute(Self.request(server.url, redirects: 1)).text == "x-other")
                let withUser = server.url.replacing("http://", with: "http://user:secret@")
                let request = HTTPRequest(withUser) { $0.maximumRedirects = 1 }
                #expect(try await client.execute(request).text.isEmpty)
            }
        }

        @Test func tooMany() async throws {
            let server = Self.redirecting(to: "/again")
            try await withClient { client async throws in
                let request = Self.request(server.url, redirects: 3)
                let error = await client.failure(executing: request)
                #expect(error?.code == .tooManyRedirects)
                let streamError = await client.failure(streaming: request)
                #expect(streamError?.code == .tooManyRedirects)
            }
        }

        @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
        func neverToAnotherScheme(location: String) async throws {
            let server = Self.redirecting(to: location)
            try await withClient { client async throws in
                let request = Self.request(server.url, redirects: 3)
                let error = await client.failure(executing: request)
                #expect(error?.code == .invalidURL)
            }
        }

        /// The second connection is the one that does not come about.
        @Test func failureBehindARedirect() async throws {
            let server = Self.redirecting(to: "http://127.0.0.1:1/")
            try await withClient { client async throws in
                let request = Self.request(server.url, redirects: 1)
                #expect(await client.failure(executing: request)?.code == .connect)
            }
        }
    }
}
