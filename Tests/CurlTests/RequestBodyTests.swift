import Synchronization
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
                    } else if lines.contains("Transfer-Encoding: chunked") {
                        guard let whole = connection.readChunked() else { return }
                        body = whole
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

        @Test(arguments: [nil, 1_000_000]) func stream(length: Int?) async throws {
            let server = Self.echo()
            let body = pattern(1_000_000)
            let pieces = stride(from: 0, to: body.count, by: 30_011).map {
                Array(body[$0..<min($0 + 30_011, body.count)])
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.method = "POST"
                    $0.headers = [("Content-Type", "application/json")]
                    $0.body = .stream(length: length, Pieces(pieces))
                }
                let response = try await client.execute(request)
                #expect(response.body == body)
                let framing = length.map { "Content-Length: \($0)" } ?? "Transfer-Encoding: chunked"
                #expect(Self.sent(response).contains(framing))
                #expect(Self.sent(response).contains("Content-Type: application/json"))
            }
        }

        /// The next piece is made only once the server has the one before: the transfer has to sleep and wake each time.
        @Test func streamThatHasNothingYet() async throws {
            let (arrived, continuation) = AsyncStream.makeStream(of: Void.self)
            let server = RawServer { connection in
                _ = connection.readHead()
                for _ in 0..<5 {
                    _ = connection.read(8)  // 3 CRLF abc CRLF
                    continuation.yield()
                }
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                connection.waitForClose()
            }
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.method = "POST"
                    $0.body = .stream(
                        length: nil, Pieces(Array(repeating: Array("abc".utf8), count: 5), paced: arrived))
                }
                #expect(try await client.execute(request).status == 200)
            }
        }

        /// A server that does not read leaves the sequence unread, but for the buffers between.
        @Test func streamIsPulledWithBackPressure() async throws {
            let pulled = Atomic(0)
            let closing = Event()
            defer { closing.happen() }
            let server = RawServer { connection in
                _ = connection.readHead()
                closing.blockUntilHappened()
            }
            let pieces = Array(repeating: pattern(1 << 16), count: 3200)
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.method = "POST"
                    $0.totalTimeout = .seconds(1)
                    $0.body = .stream(length: nil, Pieces(pieces) { pulled.add(1, ordering: .relaxed) })
                }
                let error = await client.failure(executing: request)
                #expect(error?.code == .timeout)
                #expect(pulled.load(ordering: .relaxed) < 400)
            }
        }

        enum Bad: CaseIterable { case throwing, short, long }

        @Test(arguments: Bad.allCases) func badStream(kind: Bad) async throws {
            let server = Self.echo()
            try await withClient { client async throws in
                let request = HTTPRequest(server.url) {
                    $0.method = "POST"
                    switch kind {
                    case .throwing: $0.body = .stream(length: nil, Pieces([[1]], failing: true))
                    case .short: $0.body = .stream(length: 3, Pieces([[1]]))
                    case .long: $0.body = .stream(length: 3, Pieces([[1, 2], [3, 4]]))
                    }
                }
                let error = await client.failure(executing: request)
                #expect(error?.code == .requestBody)
            }
        }

        @Test func unreachableServerLeavesTheSequenceAlone() async throws {
            let pulled = Atomic(0)
            try await withClient { client async throws in
                let request = HTTPRequest("http://127.0.0.1:1/") {
                    $0.method = "POST"
                    $0.body = .stream(length: nil, Pieces([[1]]) { pulled.add(1, ordering: .relaxed) })
                }
                let error = await client.failure(executing: request)
                #expect(error?.code == .connect)
                #expect(pulled.load(ordering: .relaxed) == 0)
            }
        }
    }
}

private struct Broken: Error {}

/// Gives pieces, each when `paced` says so.
private struct Pieces: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error
    private let pieces: [[UInt8]]
    private let pace: AsyncStream<Void>?
    private let isFailing: Bool
    private let onPull: @Sendable () -> Void

    init(
        _ pieces: [[UInt8]], paced pace: AsyncStream<Void>? = nil, failing isFailing: Bool = false,
        onPull: @escaping @Sendable () -> Void = {}
    ) {
        self.pieces = pieces
        self.pace = pace
        self.isFailing = isFailing
        self.onPull = onPull
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let sequence: Pieces
        var pace: AsyncStream<Void>.AsyncIterator?
        var position = 0

        mutating func next() async throws -> [UInt8]? {
            sequence.onPull()
            if position > 0 { _ = await pace?.next() }
            guard position < sequence.pieces.count else {
                if sequence.isFailing { throw Broken() }
                return nil
            }
            defer { position += 1 }
            return sequence.pieces[position]
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(sequence: self, pace: pace?.makeAsyncIterator()) }
}
