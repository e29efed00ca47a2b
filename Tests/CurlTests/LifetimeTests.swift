import Synchronization
import TestSupport
import Testing

@testable import Curl

extension CurlTests {
    /// Cancelling, shutting down, and many at once.
    @Suite struct LifetimeTests {
        /// Takes a request and does not answer; counts those that came and those whose connection went.
        private static func silent(came: Event, closed: Event) -> RawServer {
            RawServer { connection in
                _ = connection.readHead()
                came.happen()
                connection.waitForClose()
                closed.happen()
            }
        }

        private static func request(_ url: String) -> HTTPRequest {
            HTTPRequest(url) { $0.totalTimeout = nil }
        }

        @Test func cancellingTheTaskClosesTheConnection() async throws {
            let (came, closed) = (Event(), Event())
            let server = Self.silent(came: came, closed: closed)
            try await withClient { client async throws in
                for isStream in [false, true] {
                    let task = Task { () -> HTTPError? in
                        isStream
                            ? await client.failure(streaming: Self.request(server.url))
                            : await client.failure(executing: Self.request(server.url))
                    }
                    await came.wait()
                    let start = ContinuousClock.now
                    task.cancel()
                    #expect(await task.value?.code == .cancelled)
                    await closed.wait()
                    #expect(start.duration(to: .now) < .seconds(1))
                }
            }
        }

        @Test func cancelledBeforeTheStart() async throws {
            let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            try await withClient { client async throws in
                let task = Task { () -> HTTPError? in
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await client.failure(executing: Self.request(server.url))
                }
                #expect(await task.value?.code == .cancelled)
                #expect(server.connectionCount == 0)
            }
        }

        @Test func shutdownEndsWhatIsInFlight() async throws {
            let (came, closed) = (Event(), Event())
            let server = Self.silent(came: came, closed: closed)
            let headServer = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                connection.waitForClose()
            }
            let client = HTTPClient()
            let stream = try await client.stream(Self.request(headServer.url))
            async let executing = client.failure(executing: Self.request(server.url))
            await came.wait()
            await client.shutdown()
            #expect(await executing?.code == .stopped)
            await closed.wait()
            var iterator = stream.makeAsyncIterator()
            do throws(HTTPError) {
                _ = try await iterator.next()
                Issue.record("no error")
            } catch {
                #expect(error.code == .stopped)
            }
            let late = await client.failure(executing: Self.request(server.url))
            #expect(late?.code == .stopped)
            let lateStream = await client.failure(streaming: Self.request(server.url))
            #expect(lateStream?.code == .stopped)
            await client.shutdown()
        }

        @Test func droppedClientEndsItsStreams() async throws {
            let server = RawServer { connection in
                _ = connection.readHead()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
                connection.waitForClose()
            }
            let stream = try await HTTPClient().stream(Self.request(server.url))
            do {
                _ = try await stream.collect()
                Issue.record("no error")
            } catch let error as HTTPError {
                #expect(error.code == .stopped)
            }
        }

        /// No server thread answers before all requests are there: they are in flight together.
        @Test func threeThousandAtOnce() async throws {
            let count = 3000
            let arrived = Atomic(0)
            let everybody = Event()
            let server = RawServer { connection in
                _ = connection.readHead()
                if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count { everybody.happen() }
                everybody.blockUntilHappened()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                connection.waitForClose()
            }
            try await withClient { client async throws in
                let answered = await withTaskGroup { group in
                    for _ in 0..<count {
                        group.addTask {
                            let request = HTTPRequest(server.url) {
                                $0.connectTimeout = .seconds(20)
                                $0.totalTimeout = .seconds(30)
                            }
                            return await client.failure(executing: request)
                        }
                    }
                    var failures: [String: Int] = [:]
                    for await error in group { failures[error?.description ?? "ok", default: 0] += 1 }
                    return failures
                }
                #expect(answered == ["ok": count])
                #expect(server.connectionCount == count)
            }
        }

        @Test func connectionsPerHostAreLimited() async throws {
            let server = RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            var configuration = HTTPClient.Configuration()
            configuration.maximumConnectionsPerHost = 3
            try await withClient(configuration) { client async throws in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<100 { group.addTask { try await client.execute(HTTPRequest(url: server.url)).status } }
                    for try await status in group { #expect(status == 200) }
                }
                #expect(server.connectionCount <= 3)
            }
        }
    }
}
