import Synchronization
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// Bodies that are read where they are held.
    @Suite struct BodySourceTests {
        private final class Held: HTTPBodySource {
            let bytes: [UInt8]
            let reads = Mutex<[Int]>([])
            init(_ bytes: [UInt8]) { self.bytes = bytes }
            var count: Int { bytes.count }

            func copy(from offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
                reads.withLock { $0.append(offset) }
                let count = min(buffer.count, bytes.count - offset)
                buffer.copyBytes(from: bytes[offset..<offset + count])
                return count
            }
        }

        private func request(_ url: String, _ source: Held) -> HTTPRequest {
            HTTPRequest(url) {
                $0.method = "POST"
                $0.body = .source(source)
            }
        }

        @Test(arguments: [0, 1, 100_000, 3_000_000]) func arrivesWhole(size: Int) async throws {
            let source = Held(pattern(size))
            let server = RawServer { connection in
                let head = connection.readHead() ?? ""
                let isWhole = head.contains("Content-Length: \(size)") && connection.read(size) == pattern(size)
                connection.write("HTTP/1.1 \(isWhole ? 200 : 400) X\r\nContent-Length: 0\r\n\r\n")
            }
            try await withClient { client async throws in
                #expect(try await client.execute(request(server.url, source)).status == 200)
            }
        }

        /// A long answer does not keep what it was asked with.
        @Test func isLetGoOnceItWasSentAndAnswered() async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                _ = connection.read(1_000_000)
                connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
                // Until the client goes away.
                _ = connection.read(1)
            }
            try await withClient { client async throws in
                weak var held: Held?
                func ask() async throws -> HTTPResponseStream {
                    let source = Held(pattern(1_000_000))
                    held = source
                    return try await client.stream(request(server.url, source))
                }
                let answer = try await ask()
                var pieces = answer.makeAsyncIterator()
                #expect(try await pieces.next() == Array("a".utf8))
                #expect(held == nil)
                answer.cancel()
            }
        }

        /// A connection that was kept turns out to be closed: the body is sent again from its start on a new one.
        @Test func isSentAgainOnAnotherConnection() async throws {
            let connections = Atomic(0)
            let server = RawServer { connection in
                let number = connections.add(1, ordering: .relaxed).newValue
                while let head = connection.readHead() {
                    let length =
                        Int(head.split(separator: "Content-Length: ").last?.prefix(while: \.isNumber) ?? "") ?? 0
                    guard connection.read(length) == pattern(length) else { return }
                    // The first connection is closed instead of its second answer.
                    if number == 1, length > 10 { return }
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            }
            try await withClient { client async throws in
                #expect(try await client.execute(request(server.url, Held(pattern(10)))).status == 200)
                let source = Held(pattern(1_000_000))
                #expect(try await client.execute(request(server.url, source)).status == 200)
                #expect(source.reads.withLock { $0.filter { $0 == 0 }.count } == 2)
                #expect(server.connectionCount == 2)
            }
        }

        @Test func codingsAreLeftAloneOnRequest() async throws {
            let server = RawServer { connection in
                let head = connection.readHead() ?? ""
                let asked = head.lowercased().contains("accept-encoding: gzip;q=0.1\r\n")
                connection.write(
                    "HTTP/1.1 \(asked ? 200 : 400) X\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.headers = [("Accept-Encoding", "gzip;q=0.1"), ("X-Last", "1")]
                    $0.decodesContent = false
                }
                let answer = try await client.execute(request)
                #expect(answer.status == 200 && answer.text == "abc" && answer.header("content-encoding") == "gzip")
            }
        }
    }
}
