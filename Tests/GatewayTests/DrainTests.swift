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

    @Test(.timeLimit(.minutes(1))) func notReadyAndEveryAnswerSendsItsClientElsewhere() async throws {
        let bench = try Bench(Fleet.usual)
        try await bench.serve { gateway in
            func get(_ path: String) async throws -> Curl.HTTPResponse {
                try await gateway.client.execute(Curl.HTTPRequest(url: "http://127.0.0.1:\(gateway.port)\(path)"))
            }
            #expect(try await get("/v1/models").header("connection") == nil)
            gateway.server.core.drain.begin()
            let readiness = try await get("/readyz")
            #expect(readiness.status == 503 && readiness.header("connection") == "close")
            let report = try #require(JSONSerialization.jsonObject(with: Data(readiness.body)) as? [String: Any])
            #expect(report["ready"] as? Bool == false && report["reason"] as? String == "stopping")
            #expect((report["error"] as? [String: Any])?["code"] as? String == "gateway_stopping")
            let list = try await get("/v1/models")
            #expect(list.status == 200 && list.header("connection") == "close")
            #expect(try await get("/nowhere").header("connection") == "close")
            #expect(try await get("/healthz").status == 200)
        }
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
                #expect(await gateway.server.cut() == 1)
                await #expect(throws: Curl.HTTPError.self) {
                    while let piece = try await iterator.next() { text += String(decoding: piece, as: UTF8.self) }
                }
                #expect(text.hasPrefix("data: 1\n\ndata: {\"error\":{") && text.contains("gateway_stopping"))
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
                #expect(await gateway.server.cut() == 1)
                let response = try await answer
                #expect(response.status == 503)
                #expect(try response.errorCode() == "gateway_stopping")
            }
        }
    }
}
