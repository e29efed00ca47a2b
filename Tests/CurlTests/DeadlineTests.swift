import Glibc
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// The timeouts that the loop keeps itself.
    @Suite struct DeadlineTests {
        private static let head = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"

        @Test func firstByte() async throws {
            for sendsHead in [false, true] {
                let closed = Event()
                let server = RawServer { connection in
                    _ = connection.readHead()
                    if sendsHead { connection.write(Self.head) }
                    connection.waitForClose()
                    closed.happen()
                }
                try await withClient { client async throws in
                    let started = ContinuousClock.now
                    let request = HTTPRequest(server.url) {
                        $0.firstByteTimeout = .milliseconds(150)
                        $0.totalTimeout = nil
                    }
                    let error = await client.failure(executing: request)
                    #expect(error?.code == .timeout)
                    let passed = ContinuousClock.now - started
                    #expect(passed >= .milliseconds(150) && passed < .seconds(2))
                    await closed.wait()
                }
            }
        }

        @Test func firstByteTimeoutSparesWhatGoesOn() async throws {
            let seen = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write(Self.head + "abc")
                seen.blockUntilHappened()
                connection.write("def")
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.firstByteTimeout = .milliseconds(100)
                    $0.idleTimeout = .seconds(30)
                }
                let stream = try await client.stream(request)
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.next()?.count == 3)
                try await Task.sleep(for: .milliseconds(250))
                seen.happen()
                #expect(try await iterator.next()?.count == 3)
                #expect(try await iterator.next() == nil)
            }
        }

        /// Also where the first byte may take far longer, and came early.
        @Test func idle() async throws {
            let closed = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write(Self.head + "abc")
                connection.waitForClose()
                closed.happen()
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.firstByteTimeout = .seconds(300)
                    $0.idleTimeout = .milliseconds(150)
                    $0.totalTimeout = nil
                }
                let started = ContinuousClock.now
                var iterator = try await client.stream(request).makeAsyncIterator()
                #expect(try await iterator.next() == Array("abc".utf8))
                do throws(HTTPError) {
                    _ = try await iterator.next()
                    Issue.record("no error")
                } catch {
                    #expect(error.code == .timeout)
                }
                let passed = ContinuousClock.now - started
                #expect(passed >= .milliseconds(150) && passed < .seconds(2))
                await closed.wait()
            }
        }

        @Test func piecesInTimeKeepItAlive() async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
                for _ in 0..<10 {
                    connection.write("a")
                    usleep(60_000)
                }
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) { $0.idleTimeout = .milliseconds(400) }
                #expect(try await client.stream(request).collect().count == 10)
            }
        }

        /// A consumer that takes nothing of a full buffer is not waited for either.
        @Test func aConsumerThatStallsIsIdle() async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                while connection.write(pattern(65536)) {}
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.idleTimeout = .milliseconds(150)
                    $0.maximumBodyBytes = .max
                    $0.totalTimeout = nil
                }
                let stream = try await client.stream(request)
                try await Task.sleep(for: .milliseconds(600))
                await #expect(throws: HTTPError.self) { try await stream.collect() }
            }
        }
    }
}
