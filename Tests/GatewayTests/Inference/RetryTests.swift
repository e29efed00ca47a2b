import Catalog
import Curl
import Foundation
import TestSupport
import Testing

@testable import Gateway

extension LiveInferenceTests {
    /// Endpoints that fail before they answer, and endpoints that are busy.
    @Suite struct RetryTests {
        @Test func theNextEndpointIsAsked() async throws {
            let resets = RawServer { connection in
                _ = connection.readRequest()
                connection.resetOnClose()
            }
            let closes = RawServer { connection in _ = connection.readRequest() }
            let busy = RawServer.answeringRequests("{}", status: "503 Loading")
            for (name, port) in [
                ("refuses", refusingPort()), ("resets", resets.port), ("closes", closes.port), ("503", busy.port),
            ] {
                let works = RawServer.answeringRequests()
                try await withGateway([
                    ListedEndpoint(name: "bad", port: port), ListedEndpoint(name: "good", port: works.port),
                ]) { gateway async throws in
                    // Which one is asked first is left to chance and what was seen.
                    for _ in 0..<20 {
                        let answer = try await gateway.post()
                        #expect(answer.status == 200, "\(name)")
                        #expect(answer.header("X-Rollcall-Endpoint") == "good")
                    }
                    #expect(works.connectionCount > 0)
                }
            }
        }

        @Test func whereNoneIsLeftTheLastAnswerIsTheAnswer() async throws {
            let busy = RawServer.answeringRequests(
                #"{"error":"loading"}"#, status: "503 Loading", headers: "Retry-After: 7\r\n")
            try await withGateway([ListedEndpoint(port: busy.port)]) { gateway async throws in
                let answer = try await gateway.post()
                #expect(answer.status == 503 && answer.text == #"{"error":"loading"}"#)
                #expect(answer.header("Retry-After") == "7")
            }
        }

        /// NIO's own words are system calls and numbers.
        @Test func theLogSaysInWordsWhatWentWrongAndWhere() async throws {
            let resets = RawServer { connection in
                _ = connection.readRequest()
                connection.resetOnClose()
            }
            let closes = RawServer { connection in _ = connection.readRequest() }
            for (port, reason) in [
                (refusingPort(), "Connection refused (connect_failed)"), (resets.port, "Connection reset by peer"),
                (closes.port, "it closed the connection"),
            ] {
                try await withGateway([ListedEndpoint(name: "bad", port: port)]) { gateway async throws in
                    #expect(try await gateway.post().status == 502)
                    let said = gateway.bench.log.lines.filter { $0.contains("An endpoint gave no answer") }
                    #expect(said.count == 1)
                    #expect(said.first?.contains("127.0.0.1:\(port): \(reason)") == true, "\(said)")
                }
            }
        }

        @Test func noEndpointThatAnswersIs502() async throws {
            try await withGateway((0..<5).map { ListedEndpoint(name: "e\($0)", port: refusingPort()) }) {
                gateway async throws in
                let answer = try await gateway.post()
                #expect(answer.status == 502)
                #expect(try answer.errorCode() == "upstream_unreachable")
                let suspects = (1...5).filter { gateway.dispatcher.isSuspect(ListedEndpoint.id($0)) }
                #expect(suspects.count == 3, "three were asked")
                try await eventually("all places are free") {
                    (1...5).allSatisfy { gateway.dispatcher.inFlight(ListedEndpoint.id($0)) == 0 }
                }
            }
        }

        /// An endpoint that answers 500 in 1 ms is not a fast one: of what 32 clients ask after the first second, at least
        /// 98 % is answered by the endpoint that works and takes 5 ms.
        @Test func aFastFailureIsNoFastServer() async throws {
            let fails = RawServer.answeringRequests("{}", status: "500 Broken", after: 1000)
            let works = RawServer.answeringRequests(after: 5000)
            try await withGateway([
                ListedEndpoint(name: "fails", port: fails.port), ListedEndpoint(name: "works", port: works.port),
            ]) { gateway async throws in
                let start = ContinuousClock.now
                let statuses = await withTaskGroup(of: [Int].self) { group in
                    for _ in 0..<32 {
                        group.addTask {
                            await onThread {
                                Self.statuses(port: gateway.port, from: start + .seconds(1), for: .seconds(3))
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0 += $1 }
                }
                let good = statuses.count { $0 == 200 }
                #expect(statuses.count > 500)
                #expect(good * 100 >= statuses.count * 98, "\(good) of \(statuses.count)")
            }
        }

        /// Asks one thing after the other, and gives the statuses of what was asked between `from` and `time` later.
        private static func statuses(port: Int, from: ContinuousClock.Instant, for time: Duration) -> [Int] {
            let socket = RawSocket.connect(port: port)
            defer { socket.close() }
            var statuses: [Int] = []
            while ContinuousClock.now < from + time {
                let asked = ContinuousClock.now
                socket.write(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 13\r\n\r\n{\"model\":\"m\"}")
                guard let answer = socket.readAnswer() else { return statuses + [0] }
                if asked >= from { statuses.append(answer.status) }
            }
            return statuses
        }

        /// An endpoint that refuses is put behind the others, and all gateways are told once a second.
        @Test func aSuspectIsToldOfAndPutLast() async throws {
            let works = RawServer.answeringRequests()
            try await withGateway([
                ListedEndpoint(name: "bad", port: refusingPort()), ListedEndpoint(name: "good", port: works.port),
            ]) { gateway async throws in
                let id = ListedEndpoint.id(1)
                let dispatcher = gateway.dispatcher
                var rounds = 0
                while !dispatcher.isSuspect(id) {
                    #expect(try await gateway.post().status == 200)
                    rounds += 1
                    try #require(rounds < 200)
                }
                try await eventually("the suspect is told of") { !gateway.bench.registrar.published.isEmpty }
                #expect(
                    gateway.bench.registrar.published
                        == [.endpointSuspect(PollRequest(endpoint: id, reason: "connect_failed"))])
                for _ in 0..<20 { _ = try await gateway.post() }
                #expect(gateway.bench.registrar.published.count == 1)

                let watch = RoutingWatch(
                    effects: AsyncStream { $0.finish() }, catalog: gateway.bench.catalog, dispatcher: dispatcher,
                    lifeSigns: LifeSigns { _ in })
                watch.apply([.snapshotApplied(id: ListedEndpoint.id(2))])
                #expect(dispatcher.isSuspect(id))
                watch.apply([.snapshotApplied(id: id)])
                #expect(!dispatcher.isSuspect(id))
                watch.apply([.endpointSuspect(id: id)])
                #expect(dispatcher.isSuspect(id), "another gateway's word counts as well")
                #expect(gateway.bench.catalog.read { $0.endpoint(id: id)?.state } == .online, "the state is untouched")
            }
        }

        /// A 404 is read before it is judged. Its end may be written in several ways.
        @Test(arguments: ["0\r\n\r\n", "000\r\n\r\n", "0;a=b\r\n\r\n", "0\r\nX-T: 1\r\n\r\n"])
        func aWhole404IsNotWaitedFor(end: String) async throws {
            let lacks = RawServer { connection in
                while connection.readRequest() != nil {
                    connection.write(
                        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + end)
                }
            }
            var limits = InferenceLimits()
            limits.firstByteTimeout = .seconds(3)
            try await withGateway([ListedEndpoint(port: lacks.port)], limits: limits) { gateway async throws in
                let answer = try await gateway.post()
                #expect(answer.status == 404 && answer.text == "{}")
            }
        }

        @Test func nothingIsSentTwiceOnceAnAnswerHasBegun() async throws {
            let breaks = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            }
            let second = RawServer.answeringRequests()
            try await withGateway([
                ListedEndpoint(name: "online", port: breaks.port),
                ListedEndpoint(name: "degraded", port: second.port, state: .degraded),
            ]) { gateway async throws in
                await #expect(throws: Curl.HTTPError.self) { try await gateway.post() }
                #expect(breaks.connectionCount == 1 && second.connectionCount == 0)
            }
        }

        @Test func degradedAndDrainingOnes() async throws {
            let online = RawServer.answeringRequests()
            let degraded = RawServer.answeringRequests()
            let draining = RawServer.answeringRequests()
            try await withGateway([
                ListedEndpoint(name: "draining", port: draining.port, draining: true),
                ListedEndpoint(name: "degraded", port: degraded.port, models: ["m", "only"], state: .degraded),
                ListedEndpoint(name: "online", port: online.port),
            ]) { gateway async throws in
                for _ in 0..<10 { #expect(try await gateway.post().header("X-Rollcall-Endpoint") == "online") }
                #expect(try await gateway.post(#"{"model":"only"}"#).header("X-Rollcall-Endpoint") == "degraded")
                #expect(draining.connectionCount == 0)
            }
        }

        @Test func aConversationStaysOnOneEndpoint() async throws {
            let upstreams = (0..<4).map { _ in RawServer.answeringRequests() }
            try await withGateway(upstreams.enumerated().map { ListedEndpoint(name: "e\($0)", port: $1.port) }) {
                gateway async throws in
                for (body, headers) in [
                    (#"{"model":"m","prompt_cache_key":"c1"}"#, []), (#"{"model":"m","user":"u1"}"#, []),
                    (#"{"model":"m"}"#, [("X-Session-Id", "s1")]),
                ] {
                    var names: Set<String> = []
                    for _ in 0..<12 {
                        names.insert(try await gateway.post(body, headers: headers).header("X-Rollcall-Endpoint") ?? "")
                    }
                    #expect(names.count == 1, "\(names)")
                }
            }
        }

        /// Two at once, then a line, in order; and 429 once the line is full or the wait too long.
        @Test func aBusyEndpointIsWaitedForInOrder() async throws {
            let served = Record<String>()
            let finish = (0..<5).map { _ in Event() }
            let upstream = RawServer { connection in
                while let request = connection.readRequest() {
                    let number = Int(request.header("X-Number") ?? "") ?? 0
                    served.add("\(number)")
                    finish[number].blockUntilHappened()
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                }
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port, maximum: 1)], limits: limits(\.queueLength, 2)
            ) { gateway async throws in
                let answers = (0..<3).map { number in
                    (number, gateway.request(headers: [("X-Number", "\(number)")]))
                }
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for (number, request) in answers {
                        group.addTask { try await gateway.client.execute(request).status }
                        try await eventually("\(number) is there") {
                            number == 0 ? served.all == ["0"] : gateway.dispatcher.waiting == number
                        }
                    }
                    let refused = try await gateway.post()
                    #expect(refused.status == 429)
                    #expect(try refused.errorCode() == "queue_full")
                    #expect(refused.header("Retry-After") == "1")
                    for number in 0..<3 {
                        finish[number].happen()
                        #expect(try await group.next() == 200)
                    }
                }
                #expect(served.all == ["0", "1", "2"])
                try await eventually("all places are free") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0 }
            }
        }

        @Test func aWaitThatIsTooLongIs429() async throws {
            let finish = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                finish.blockUntilHappened()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
            try await withGateway(
                [ListedEndpoint(port: upstream.port, maximum: 1)], limits: limits(\.queueTimeout, .milliseconds(50))
            ) { gateway async throws in
                async let first = gateway.post()
                try await eventually("the place is taken") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 1 }
                let refused = try await gateway.post()
                #expect(refused.status == 429)
                #expect(gateway.dispatcher.waiting == 0)
                finish.happen()
                #expect(try await first.status == 200)
            }
        }

        @Test func aClientThatGoesAwayLeavesTheLine() async throws {
            let finish = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                finish.blockUntilHappened()
            }
            try await withGateway([ListedEndpoint(port: upstream.port, maximum: 1)]) { gateway async throws in
                let first = await gateway.open()
                try await eventually("the place is taken") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 1 }
                let second = await gateway.open()
                try await eventually("the second waits") { gateway.dispatcher.waiting == 1 }
                second.close()
                try await eventually("the line is empty") { gateway.dispatcher.waiting == 0 }
                first.close()
                try await eventually("the place is free") { gateway.dispatcher.inFlight(ListedEndpoint.id(1)) == 0 }
                finish.happen()
            }
        }
    }
}
