import Synchronization
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    @Suite struct StreamTests {
        @Test func headComesBeforeTheBody() async throws {
            let headSeen = Event()
            let firstSeen = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                headSeen.blockUntilHappened()
                connection.write("3\r\none\r\n")
                firstSeen.blockUntilHappened()
                connection.write("3\r\ntwo\r\n0\r\n\r\n")
            }
            try await withClient { client async throws in
                let stream = try await client.stream(HTTPRequest(url: server.url))
                #expect(stream.status == 200)
                #expect(stream.header("content-type") == "text/event-stream")
                headSeen.happen()
                var iterator = stream.makeAsyncIterator()
                #expect(try await iterator.next() == Array("one".utf8))
                firstSeen.happen()
                #expect(try await iterator.next() == Array("two".utf8))
                #expect(try await iterator.next() == nil)
                #expect(try await iterator.next() == nil)
            }
        }

        /// A small answer is there in whole when its head is told, and is taken in one go; one that goes on is not.
        @Test func theRestAtOnce() async throws {
            let more = Event()
            let server = RawServer { connection in
                while let head = connection.readHead() {
                    if head.hasPrefix("GET /small") {
                        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
                    } else {
                        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
                        more.blockUntilHappened()
                        connection.write("def")
                    }
                }
            }
            try await withClient { client async throws in
                let small = try await client.stream(HTTPRequest(url: server.url + "/small"))
                #expect(small.takeRest() == Array("abc".utf8))
                #expect(try await small.collect().isEmpty)
                let large = try await client.stream(HTTPRequest(url: server.url + "/large"))
                #expect(large.takeRest() == nil)
                more.happen()
                #expect(try await large.collect() == Array("abcdef".utf8))
            }
        }

        /// Whoever has no task to cancel is given a function, before the answer is there.
        @Test func isEndedFromOutside() async throws {
            let closed = Event()
            let asked = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                asked.happen()
                connection.waitForClose()
                closed.happen()
            }
            try await withClient { client async throws in
                do throws(HTTPError) {
                    _ = try await client.stream(HTTPRequest(url: server.url)) { end in
                        Task {
                            await asked.wait()
                            end()
                        }
                    }
                    Issue.record("no error")
                } catch {
                    #expect(error.code == .cancelled)
                }
                await closed.wait()
            }
        }

        @Test func whatCameBeforeAFailureIsGiven() async throws {
            let server = RawServer.answeringOnce("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            try await withClient { client async throws in
                var iterator = try await client.stream(HTTPRequest(url: server.url)).makeAsyncIterator()
                #expect(try await iterator.next() == Array("abc".utf8))
                do throws(HTTPError) {
                    _ = try await iterator.next()
                    Issue.record("a cut body ended well")
                } catch {
                    #expect(error.code == .truncated)
                }
            }
        }

        @Test func failureBeforeTheHeadIsThrown() async throws {
            let server = RawServer { _ in }
            try await withClient { client async throws in
                let error = await client.failure(streaming: HTTPRequest(url: server.url))
                #expect(error?.code == .reset)
            }
        }

        @Test func largestBodyHoldsForStreams() async throws {
            let server = serving(pattern(1000))
            try await withClient { client async throws in
                let stream = try await client.stream(HTTPRequest(server.url) { $0.maximumBodyBytes = 999 })
                await #expect(throws: HTTPError.self) { try await stream.collect() }
            }
        }

        /// The server can write what the sockets' buffers, libcurl's, and ours hold, and no more; then all of it, in order.
        @Test func backPressure() async throws {
            let total = 200 << 20
            let written = Atomic(0)
            let piece = pattern(1 << 16)
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                for _ in 0..<total / piece.count {
                    guard connection.write(piece) else { return }
                    written.add(piece.count, ordering: .relaxed)
                }
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.maximumBodyBytes = .max
                    $0.totalTimeout = nil
                }
                let stream = try await client.stream(request)
                // The server stands still once its writes block: no progress for a while is what can be seen of that.
                var last = -1
                while written.load(ordering: .relaxed) != last {
                    last = written.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(last < 20 << 20)
                var received = 0
                var largest = 0
                var isInOrder = true
                for try await bytes in stream {
                    largest = max(largest, bytes.count)
                    isInOrder = isInOrder && bytes[0] == piece[received % piece.count]
                    received += bytes.count
                }
                #expect(received == total)
                #expect(isInOrder)
                #expect(largest <= StreamedResponse.highWater + 65536)
            }
        }

        @Test func droppedStreamClosesTheConnection() async throws {
            let closed = Event()
            let server = endless(closed: closed)
            try await withClient { client async throws in
                do {
                    var iterator = try await client.stream(HTTPRequest(url: server.url)).makeAsyncIterator()
                    #expect(try await iterator.next()?.isEmpty == false)
                }
                await closed.wait()
            }
        }

        @Test func cancelledStreamThrows() async throws {
            let closed = Event()
            let server = endless(closed: closed)
            try await withClient { client async throws in
                let stream = try await client.stream(HTTPRequest(url: server.url))
                stream.cancel()
                await closed.wait()
                do {
                    _ = try await stream.collect()
                    Issue.record("no error")
                } catch let error as HTTPError {
                    #expect(error.code == .cancelled)
                }
            }
        }

        @Test func cancelledTaskEndsAStreamThatWaits() async throws {
            let closed = Event()
            let waiting = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                connection.waitForClose()
                closed.happen()
            }
            try await withClient { client async throws in
                let stream = try await client.stream(HTTPRequest(url: server.url))
                let task = Task {
                    waiting.happen()
                    return try await stream.collect()
                }
                await waiting.wait()
                task.cancel()
                await closed.wait()
                await #expect(throws: HTTPError.self) { try await task.value }
            }
        }
    }
}

/// Writes until it cannot.
private func endless(closed: Event) -> RawServer {
    RawServer { connection in
        _ = connection.readHead()
        connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while connection.write(pattern(10_000)) {}
        closed.happen()
    }
}
