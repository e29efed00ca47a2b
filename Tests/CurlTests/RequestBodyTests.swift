import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    @Suite struct RequestBodyTests {
        /// Answers with the head and the body it got, or how the body was cut.
        private static func echo() -> RawServer {
            RawServer { connection in
                while let head = connection.readHead() {
                    var body: [UInt8] = []
                    let lines = head.split(separator: "\r\n")
                    if let length = lines.first(where: { $0.hasPrefix("Content-Length: ") }) {
                        body = connection.read(Int(length.dropFirst(16)) ?? 0)
                    }
                    let names = lines.map { "X-Sent: \($0)\r\n" }.joined()
                    connection.write(
                        Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\(names)\r\n".utf8) + body)
                }
            }
        }

        private static func sent(_ response: HTTPResponse) -> [String] {
            response.headers.filter { $0.name == "X-Sent" }.map(\.value)
        }

        @Test(arguments: ["POST", "PUT", "PATCH", "DELETE", "QUERY"], [0, 5, 300_000])
        func bytes(method: String, count: Int) async throws {
            let server = Self.echo()
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.method = method
                    $0.body = .bytes(pattern(count))
                }
                let response = try await client.execute(request)
                #expect(response.body == pattern(count))
                let lines = Self.sent(response)
                #expect(lines.first == "\(method) / HTTP/1.1")
                #expect(lines.filter { $0 == "Content-Length: \(count)" }.count == 1)
                #expect(!lines.contains { $0.hasPrefix("Expect") || $0.hasPrefix("Content-Type") })
            }
        }

        @Test func postWithoutABody() async throws {
            let server = Self.echo()
            try await withClient { client async throws in
                let lines = Self.sent(try await client.execute(HTTPRequest(server.url) { $0.method = "POST" }))
                #expect(lines.contains("Content-Length: 0"))
            }
        }
    }
}
