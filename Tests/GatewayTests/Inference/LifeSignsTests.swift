import Catalog
import Curl
import Glibc
import TestSupport
import Testing

@testable import Gateway

struct LifeSignsTests {
    @Test func onlyDoubtedEndpointsAreToldOfAndNotOften() {
        let told = Record<String>()
        let signs = LifeSigns { told.add($0) }
        let start = ContinuousClock.now
        signs.sawBytes(of: "a", now: start)
        #expect(told.all.isEmpty)
        signs.polled("a", hasTimedOut: true)
        for tenths in 0..<120 {
            signs.sawBytes(of: "a", now: start + .milliseconds(100 * tenths))
            signs.sawBytes(of: "b", now: start + .milliseconds(100 * tenths))
            // Each further poll that times out leaves the interval as it is.
            signs.polled("a", hasTimedOut: true)
        }
        #expect(told.all == ["a", "a", "a"])
        signs.polled("a", hasTimedOut: false)
        signs.sawBytes(of: "a", now: start + .seconds(100))
        #expect(told.all.count == 3)
    }
}

extension LiveInferenceTests {
    @Suite struct BusyEndpointTests {
        /// It sends a stream, and has no thread left for the poller.
        @Test func anEndpointThatTimedOutAndAnswersIsToldOf() async throws {
            let enough = Event()
            let busy = RawServer { connection in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
                while !enough.hasHappened, connection.write("data: {}\n\n") { usleep(20_000) }
            }
            try await withGateway([ListedEndpoint(port: busy.port)]) { gateway async throws in
                let id = ListedEndpoint.id(1)
                let watch = RoutingWatch(
                    effects: AsyncStream { $0.finish() }, catalog: gateway.bench.catalog,
                    dispatcher: gateway.dispatcher, lifeSigns: gateway.server.core.inference.lifeSigns)
                let published = gateway.bench.registrar
                let stream = try await gateway.client.stream(gateway.request())
                let reading = Task { for try await _ in stream {} }
                for (tick, code) in [(20, "connect_failed"), (21, "timeout")] as [(Int64, String)] {
                    gateway.bench.catalog.apply([
                        Fleet.row(
                            id, generation: 1, tick: tick, state: .degraded,
                            error: PollFailure(code: code, message: ""))
                    ])
                    watch.apply([.snapshotApplied(id: id)])
                    if code == "connect_failed" {
                        // More than the time between two looks at what came.
                        try await Task.sleep(for: .milliseconds(1200))
                        #expect(published.published.isEmpty)
                    }
                }
                try await eventually("the endpoint is told of") { !published.published.isEmpty }
                #expect(published.published == [.endpointAlive(EndpointSighting(endpoint: id))])
                enough.happen()
                try await reading.value
            }
        }
    }
}
