import Curl
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The steps of a stop, with time as the test gives it.
@Suite struct DrainTests {
    private struct Ended: Error {}

    /// What was done and how long was waited for, in order; sleeping `enough` times ends it.
    private func steps(limit: Duration, announces: Bool, enough: Int = 9) async -> [String] {
        let steps = Record<String>()
        let sleeps = Atomic(0)
        let sequence = DrainSequence(limit: limit, announces: announces) { duration in
            if sleeps.add(1, ordering: .relaxed).newValue > enough { throw Ended() }
            steps.add("\(duration.components.seconds) s")
        }
        do {
            try await sequence.run(
                close: { steps.add("close") }, cut: { steps.add("cut") }, abandon: { steps.add("abandon") })
        } catch {
            steps.add("ended")
        }
        return steps.all
    }

    @Test func announcesClosesWaitsCuts() async {
        #expect(
            await steps(limit: .seconds(60), announces: true)
                == ["5 s", "close", "55 s", "cut", "2 s", "abandon"])
        #expect(await steps(limit: .seconds(60), announces: false) == ["close", "60 s", "cut", "2 s", "abandon"])
        #expect(await steps(limit: .seconds(3), announces: true) == ["3 s", "close", "cut", "2 s", "abandon"])
        #expect(await steps(limit: .zero, announces: true) == ["close", "cut", "2 s", "abandon"])
    }

    @Test func endsWhenNothingIsInFlight() async {
        #expect(await steps(limit: .seconds(60), announces: true, enough: 1) == ["5 s", "close", "ended"])
    }

    @Test func notReadyAndEveryAnswerSendsItsClientElsewhere() async throws {
        let bench = try Bench(Fleet.usual)
        #expect(try await bench.send("GET", "/v1/models").header("Connection") == nil)
        bench.responder.drain.begin()
        let readiness = try await bench.send("GET", "/readyz")
        #expect(readiness.status == 503 && readiness.header("Connection") == "close")
        let report = try readiness.json()
        #expect(report["ready"] as? Bool == false && report["reason"] as? String == "stopping")
        #expect((report["error"] as? [String: Any])?["code"] as? String == "gateway_stopping")
        let list = try await bench.send("GET", "/v1/models")
        #expect(list.status == 200 && list.header("Connection") == "close")
        #expect(try await bench.send("GET", "/nowhere").header("Connection") == "close")
        #expect(try await bench.send("GET", "/healthz").status == 200)
    }

    @Test func onlyWhatIsInFlightIsEnded() {
        let drain = Drain()
        let held = drain.session()
        do { _ = drain.session() }
        #expect(drain.end() == 1 && held.end == .stopping)
        #expect(drain.session().end == .stopping, "what comes after the end")
        held.cancel(.clientGone)
        #expect(held.end == .stopping, "the first reason counts")
    }
}

extension LiveInferenceTests {
    @Suite struct DrainingTests {
        @Test func aStreamThatIsCutOffSaysSoAndHasNoEnd() async throws {
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "9\r\ndata: 1\n\n\r\n")
                connection.waitForClose()
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                let stream = try await gateway.client.stream(gateway.request())
                var iterator = stream.makeAsyncIterator()
                var text = String(decoding: try #require(try await iterator.next()), as: UTF8.self)
                #expect(gateway.bench.responder.drain.end() == 1)
                await #expect(throws: Curl.HTTPError.self) {
                    while let piece = try await iterator.next() { text += String(decoding: piece, as: UTF8.self) }
                }
                #expect(text.hasPrefix("data: 1\n\n\n\ndata: {\"error\":{") && text.contains("gateway_stopping"))
                #expect(text.hasSuffix("}}\n\n") && !text.contains("[DONE]"))
            }
        }

        @Test func aRequestWithoutAnAnswerYetGetsOne() async throws {
            let asked = Event()
            let upstream = RawServer { connection in
                _ = connection.readRequest()
                asked.happen()
                connection.waitForClose()
            }
            try await withGateway([ListedEndpoint(port: upstream.port)]) { gateway async throws in
                async let answer = gateway.post()
                await asked.wait()
                gateway.bench.responder.drain.end()
                let response = try await answer
                #expect(response.status == 503)
                #expect(try response.errorCode() == "gateway_stopping")
            }
        }
    }
}
