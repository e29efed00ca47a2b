import Catalog
import NIOCore
import TestSupport
import Testing

@testable import Gateway

extension LiveInferenceTests {
    /// Connections on which something is missing, too slow, or wrong behind something that is right.
    @Suite struct ConnectionEndsTests {
        private static let list = "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        private static let chat = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        private static let body = #"{"model":"m"}"#

        /// A list of 5 MB or more, which no socket takes at once.
        private static func large() -> ListedEndpoint {
            let name = String(repeating: "n", count: 500)
            return ListedEndpoint(port: refusingPort(), models: (0..<8000).map { "\(name)-\($0)" })
        }

        /// A client may end its side once it has asked, and read its answer whenever it likes.
        @Test func aHalfCloseLosesNothingOfALongAnswer() async throws {
            try await withGateway([Self.large()]) { gateway async throws in
                let length = gateway.bench.catalog.view.list.bytes.count
                #expect(length > 4 << 20)
                let port = gateway.port
                for tail in ["", "GET /v1/mod"] {
                    let socket = RawSocket.connect(port: port, receiveBuffer: 1 << 16)
                    let answers = await onThread {
                        socket.write(Self.list + Self.list + tail)
                        socket.finishSending()
                        // The gateway has the end of the client's side before most of its answer is taken.
                        let first = socket.readAnswer()
                        return [first, socket.readAnswer()].map { $0?.body.count }
                    }
                    #expect(answers == [length, length])
                    // Half a request is refused, or the answer before it has said that the connection ends.
                    if !tail.isEmpty { #expect([400, nil].contains(await onThread { socket.readAnswer()?.status })) }
                    #expect(await onThread { socket.readRest() }.isEmpty)
                }
            }
        }

        /// Requests that wait for a slow reader are answered, and sent, as soon as it has read what came before. With a
        /// look at the deadlines (each 500 ms) for each of them it would take 15 s.
        @Test func pipelinedAnswersDoNotWaitForATimer() async throws {
            try await withGateway([Self.large()]) { gateway async throws in
                let port = gateway.port
                let started = ContinuousClock.now
                let statuses = await onThread {
                    let socket = RawSocket.connect(port: port, receiveBuffer: 1 << 16)
                    socket.write(String(repeating: Self.list, count: 30))
                    return (0..<30).map { _ in socket.readAnswer()?.status }
                }
                #expect(statuses == Array(repeating: 200, count: 30))
                #expect(ContinuousClock.now - started < .seconds(12))
            }
        }

        /// Bytes that are no request are refused behind the requests before them, not instead of them.
        @Test func garbageWaitsBehindWaitingRequests() async throws {
            try await withGateway([Self.large()]) { gateway async throws in
                let port = gateway.port
                let statuses = await onThread {
                    let socket = RawSocket.connect(port: port, receiveBuffer: 1 << 16)
                    socket.write(Self.list + Self.list + Self.list + "garbage\r\n\r\n")
                    return (0..<5).map { _ in socket.readAnswer()?.status }
                }
                #expect(statuses == [200, 200, 200, 501, nil])
            }
        }

        /// A body that breaks while the request before it is at its endpoint is refused once its turn comes.
        @Test func aBrokenBodyBehindAnotherRequestIsRefused() async throws {
            let goOn = Event()
            let upstream = RawServer { connection in
                while connection.readRequest() != nil {
                    goOn.blockUntilHappened()
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                }
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let port = gateway.port
                let socket = TimedSocketBox(port: port)
                await onThread {
                    let head = Self.chat + "Content-Length: \(Self.body.utf8.count)\r\n\r\n" + Self.body
                    socket.send(head + Self.chat + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"mod\r\nno chunk\r\n")
                }
                try await eventually("the first is at its endpoint") {
                    gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 1
                }
                goOn.happen()
                let received = await onThread { socket.readToEnd(milliseconds: 5000) }
                #expect(received?.contains("200 OK") == true && received?.contains("400 Bad Request") == true)
            }
        }

        /// An answer does not need the body that the request has announced. If that does not come, the connection ends.
        @Test(arguments: [
            "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
            "POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nab",
        ])
        func aMissingBodyOfAnAnsweredRequestEndsTheConnection(_ request: String) async throws {
            let timeouts = ClientTimeouts(
                idle: .milliseconds(200), head: .milliseconds(200), body: .milliseconds(200), stalledReader: .seconds(5)
            )
            try await withGateway([], timeouts: timeouts) { gateway async throws in
                let socket = TimedSocketBox(port: gateway.port)
                let received = await onThread { () -> String? in
                    socket.send(request)
                    return socket.readToEnd(milliseconds: 5000)
                }
                #expect(received?.hasPrefix("HTTP/1.1 ") == true, "the connection stays open")
                #expect(received?.split(separator: "HTTP/1.1 ").count == 1, "one answer")
            }
        }
    }
}

/// A `TimedSocket` that threads hand on to each other.
private final class TimedSocketBox: Sendable {
    private nonisolated(unsafe) let socket: TimedSocket

    init(port: Int) { socket = TimedSocket(port: port) }

    func send(_ text: String) { socket.send(Array(text.utf8)) }

    /// All that comes; nil if the gateway does not close in time.
    func readToEnd(milliseconds: Int) -> String? {
        socket.readToEnd(milliseconds: milliseconds) ? String(decoding: socket.received, as: UTF8.self) : nil
    }
}
