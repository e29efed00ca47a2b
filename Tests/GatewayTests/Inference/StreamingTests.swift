import Catalog
import Curl
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

private let eventStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

private func chunk(_ text: String) -> String {
    "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
}

extension LiveInferenceTests {
    /// Answers that come in pieces.
    @Suite struct StreamingTests {
        /// The endpoint sends a piece only once the client has seen the one before.
        @Test func piecesComeThroughOneByOne() async throws {
            let seen = (0..<20).map { _ in Event() }
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(eventStream)
                for (number, signal) in seen.enumerated() {
                    connection.write(chunk("data: \(number)\n\n"))
                    signal.blockUntilHappened()
                }
                connection.write("0\r\n\r\n")
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let stream = try await gateway.client.stream(gateway.request())
                #expect(stream.header("content-type") == "text/event-stream")
                var iterator = stream.makeAsyncIterator()
                var slowest = Duration.zero
                for (number, signal) in seen.enumerated() {
                    let started = ContinuousClock.now
                    let piece = try #require(try await iterator.next())
                    if number > 0 { slowest = max(slowest, .now - started) }
                    #expect(String(decoding: piece, as: UTF8.self) == "data: \(number)\n\n")
                    signal.happen()
                }
                #expect(try await iterator.next() == nil)
                #expect(slowest < .milliseconds(500), "waited \(slowest) for a piece")
            }
        }

        /// The whole is never held: a client that does not read stops the endpoint.
        @Test func backPressure() async throws {
            let written = Atomic(0)
            let total = 200 << 20
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                let piece = [UInt8](repeating: 0x61, count: 1 << 16)
                while written.load(ordering: .relaxed) < total, connection.write(piece) {
                    written.add(piece.count, ordering: .relaxed)
                }
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let socket = await gateway.open(receiveBuffer: 1 << 16)
                var last = -1
                repeat {
                    last = written.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(300))
                } while last != written.load(ordering: .relaxed) || last == 0
                #expect(last < 24 << 20, "the endpoint could send \(last) bytes")
                let received = await onThread {
                    _ = socket.readHead()
                    var received = 0
                    while received < total {
                        let count = socket.read(1 << 20).count
                        if count == 0 { break }
                        received += count
                    }
                    return received
                }
                #expect(received == total)
            }
        }

        @Test func aClientThatStopsReadingIsLetGo() async throws {
            let closed = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                while connection.write([UInt8](repeating: 0x61, count: 1 << 16)) {}
                closed.happen()
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port)], limits: limits(\.idleTimeout, .milliseconds(400))
            ) { gateway async throws in
                let socket = await gateway.open(receiveBuffer: 1 << 16)
                await closed.wait()
                try await eventually("the place is free") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0 }
                let text = await onThread { socket.readRest() }
                #expect(text.hasPrefix("HTTP/1.1 200 OK") && !text.hasSuffix("0\r\n\r\n"))
            }
        }

        /// The operating system holds megabytes for a client, and takes none for seconds while a slow one reads them.
        @Test func aSlowClientThatReadsAllTheTimeIsNotLetGo() async throws {
            let total = 12 << 20
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                connection.write([UInt8](repeating: 0x61, count: total))
                connection.waitForClose()
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port)], limits: limits(\.idleTimeout, .milliseconds(700))
            ) { gateway async throws in
                let socket = await gateway.open(receiveBuffer: 1 << 14)
                let received = await onThread {
                    _ = socket.readHead()
                    var received = 0
                    while received < total {
                        let count = socket.read(1 << 16).count
                        if count == 0 { break }
                        received += count
                        // 64 KiB each 40 ms: a third of what the system holds takes longer than the limit.
                        usleep(40_000)
                    }
                    return received
                }
                #expect(received == total, "cut after \(received) bytes")
            }
        }

        @Test func aClientThatGoesAwayEndsTheAnswer() async throws {
            let closed = Record<ContinuousClock.Instant>()
            let isQuiet = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(eventStream + chunk("data: 1\n\n"))
                isQuiet.happen()
                connection.waitForClose()
                closed.add(.now)
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                for reset in [false, true] {
                    let before = closed.all.count
                    let socket = await gateway.open()
                    _ = await onThread { socket.read(until: "data: 1") }
                    if reset { socket.resetOnClose() }
                    let gone = ContinuousClock.now
                    socket.close()
                    try await eventually("the endpoint's connection is closed") { closed.all.count > before }
                    #expect(closed.all[before] - gone < .milliseconds(200))
                    try await eventually("the place is free") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0 }
                }
            }
        }

        @Test func aClientThatGoesAwayBeforeTheAnswerEndsTheRequest() async throws {
            let asked = Event()
            let closed = Record<ContinuousClock.Instant>()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                asked.happen()
                connection.waitForClose()
                closed.add(.now)
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let socket = await gateway.open()
                await asked.wait()
                let gone = ContinuousClock.now
                socket.close()
                try await eventually("the endpoint's connection is closed") { !closed.all.isEmpty }
                #expect(closed.all[0] - gone < .milliseconds(200))
                try await eventually("the place is free") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0 }
            }
        }

        /// A broken stream is told as an event, and does not end cleanly.
        @Test func aStreamThatBreaksIsSeenBroken() async throws {
            for reset in [false, true] {
                let upstream = RawServer { connection in
                    _ = connection.readRequest()
                    connection.write(eventStream + chunk("data: 1\n\n") + "100\r\ndata: hal")
                    if reset { connection.resetOnClose() }
                }
                try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                    let socket = await gateway.open()
                    let text = await onThread { socket.readRest() }
                    #expect(text.contains("data: 1\n\n"))
                    #expect(
                        text.contains(#"data: {"error":{"message":""#) && text.contains(#""code":"upstream_broken""#))
                    #expect(!text.contains("[DONE]"))
                    #expect(!text.contains("\r\n0\r\n"), "a clean end")
                }
            }
        }

        @Test func aBodyThatBreaksIsSeenBroken() async throws {
            for head in ["Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"] {
                let upstream = RawServer { connection in
                    _ = connection.readRequest()
                    connection.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\(head)\r\n64\r\nhalf")
                }
                try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                    let socket = await gateway.open()
                    let text = await onThread { socket.readRest() }
                    #expect(text.hasPrefix("HTTP/1.1 200 OK") && text.contains("half"))
                    #expect(!text.contains("error") && !text.contains("\r\n0\r\n"))
                    await #expect(throws: Curl.HTTPError.self) { try await gateway.post() }
                }
            }
        }

        @Test func closedAfterTheHead() async throws {
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let socket = await gateway.open()
                let text = await onThread { socket.readRest() }
                #expect(text.hasPrefix("HTTP/1.1 200 OK") && text.hasSuffix("\r\n\r\n"))
            }
        }

        @Test func aStreamThatStallsIsEnded() async throws {
            let closed = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(eventStream + chunk("data: 1\n\n"))
                connection.waitForClose()
                closed.happen()
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port)], limits: limits(\.idleTimeout, .milliseconds(200))
            ) { gateway async throws in
                let socket = await gateway.open()
                let text = await onThread { socket.readRest() }
                #expect(text.contains("data: 1\n\n") && text.contains(#""code":"upstream_timeout""#))
                await closed.wait()
            }
        }

        @Test func noFirstByteInTimeIs504() async throws {
            let closed = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.waitForClose()
                closed.happen()
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port)], limits: limits(\.firstByteTimeout, .milliseconds(200))
            ) { gateway async throws in
                let answer = try await gateway.post()
                #expect(answer.status == 504)
                #expect(try answer.errorCode() == "upstream_timeout")
                await closed.wait()
            }
        }

        /// 1 GB through the gateway; what the process holds does not grow with it.
        @Test func aHugeAnswerIsNotHeld() async throws {
            let total = 1 << 30
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
                let piece = [UInt8](repeating: 0x62, count: 1 << 18)
                var left = total
                while left > 0, connection.write(piece) { left -= piece.count }
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let before = residentBytes()
                let stream = try await gateway.client.stream(gateway.request())
                var received = 0
                var most = 0
                for try await piece in stream {
                    received += piece.count
                    most = max(most, residentBytes())
                }
                #expect(received == total)
                // Other tests of this process need memory meanwhile.
                #expect(most - before < 150 << 20, "grew by \(most - before)")
            }
        }

        /// A body of 20 MB is held once, whichever way it came.
        @Test func aLargeBodyIsHeldOnce() async throws {
            let received = Record<Int>()
            let upstream = RawServer { connection in
                while let head = connection.readHead() {
                    let length = Int(RawRequest(head: head, body: []).header("content-length") ?? "0") ?? 0
                    var left = length
                    while left > 0 {
                        let count = connection.read(min(left, 1 << 16)).count
                        if count == 0 { return }
                        left -= count
                    }
                    received.add(length)
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                }
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let size = 20 << 20
                let start = Array(#"{"model":"m","image":""#.utf8)
                let piece = [UInt8](repeating: 0x41, count: 1 << 16)
                let length = start.count + size + 2
                for announced in [true, false] {
                    // Other tests of this process need memory meanwhile: one round without them is enough.
                    var least = Int.max
                    for _ in 0..<5 where least >= 2 * size {
                        let before = residentBytes()
                        let most = Atomic(0)
                        let text = await onThread { [port = gateway.port] in
                            let socket = RawSocket.connect(port: port)
                            socket.write(
                                "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                    + "Content-Type: application/json\r\n"
                                    + (announced
                                        ? "Content-Length: \(length)\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n"))
                            for index in -1...(size / piece.count) {
                                most.store(max(most.load(ordering: .relaxed), residentBytes()), ordering: .relaxed)
                                let bytes = index < 0 ? start : index < size / piece.count ? piece : Array(#""}"#.utf8)
                                if !announced { socket.write(String(bytes.count, radix: 16) + "\r\n") }
                                socket.write(bytes)
                                if !announced { socket.write("\r\n") }
                            }
                            if !announced { socket.write("0\r\n\r\n") }
                            return socket.readHead() ?? ""
                        }
                        #expect(text.hasPrefix("HTTP/1.1 200 "), "\(text)")
                        #expect(received.all.last == length)
                        least = min(least, max(most.load(ordering: .relaxed), residentBytes()) - before)
                    }
                    #expect(least < 2 * size, "grew by \(least)")
                }
            }
        }

        @Test func bodiesOverTheLimitAre413() async throws {
            try await withGateway([ListedEndpoint(port: refusingPort())], limits: limits(\.bodyBytes, 1 << 20)) {
                gateway async throws in
                let body = #"{"model":"m","x":""# + String(repeating: "a", count: 1 << 20) + #""}"#
                for announced in [true, false] {
                    let text = await onThread { [port = gateway.port] in
                        let socket = RawSocket.connect(port: port)
                        let start =
                            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        if announced {
                            socket.write(start + "Content-Length: \(body.utf8.count)\r\n\r\n")
                        } else {
                            socket.write(start + "Transfer-Encoding: chunked\r\n\r\n")
                            // A body that never ends.
                            Thread.detachNewThread {
                                while socket.write(chunk(String(repeating: "a", count: 65536))) {}
                            }
                        }
                        return socket.readRest()
                    }
                    #expect(text.hasPrefix("HTTP/1.1 413 ") && text.contains("body_too_large"))
                }
            }
        }

        @Test func whoAsksMaySendTheBody() async throws {
            let upstream = RawServer.answeringRequests()
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let socket = await onThread { [port = gateway.port] in RawSocket.connect(port: port) }
                for _ in 0..<2 {
                    let heads = await onThread {
                        socket.write(
                            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
                                + "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n")
                        let first = socket.readHead() ?? ""
                        socket.write(#"{"model":"m"}"#)
                        let second = socket.readHead() ?? ""
                        return (first, second, socket.read(11))
                    }
                    #expect(heads.0 == "HTTP/1.1 100 Continue")
                    #expect(heads.1.hasPrefix("HTTP/1.1 200 OK") && heads.2 == Array(#"{"ok":true}"#.utf8))
                }
            }
        }

        @Test func aBodyThatDripsIsNotWaitedFor() async throws {
            try await withGateway(
                [ListedEndpoint(port: refusingPort())], limits: limits(\.bodyTimeout, .milliseconds(200))
            ) {
                gateway async throws in
                let text = await onThread { [port = gateway.port] in
                    let socket = RawSocket.connect(port: port)
                    socket.write(
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 100000\r\n\r\n")
                    Thread.detachNewThread { while socket.write(" ") { Thread.sleep(forTimeInterval: 0.02) } }
                    return socket.readRest()
                }
                #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("request_timeout"))
            }
        }

        @Test func aBodyThatBreaksOffReachesNobody() async throws {
            let upstream = RawServer.answeringRequests()
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                _ = await onThread { [port = gateway.port] in
                    let socket = RawSocket.connect(port: port)
                    socket.write(
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 100\r\n\r\n{\"model\":\"m\"}")
                    socket.finishSending()
                    return socket.readRest()
                }
                #expect(try await gateway.post().status == 200)
                #expect(upstream.connectionCount == 1, "only the whole request was sent on")
            }
        }
    }
}

/// What the process holds in memory now.
func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let fields = text.split(separator: " ")
    return (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
