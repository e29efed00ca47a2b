import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import AMQP

extension BrokerTests {
    /// What a network does to a connection. The heartbeat is 1 s.
    @Suite struct FaultTests {
        /// 2.5 heartbeats, and what a loaded machine takes to notice.
        static let bound = Duration.milliseconds(2500 + 500)

        func withProxy(
            _ topology: Topology = Topology(), losses: LossRecorder = LossRecorder(),
            _ body: (FaultyProxy, Connection) async throws -> Void
        ) async throws {
            let proxy = try FaultyProxy(to: try LiveBroker.url)
            try await proxy.whileRunning {
                try await withConnection(configuration(proxy.url), topology, logger: losses.logger) { connection in
                    await connection.waitUntilConnected()
                    try await body(proxy, connection)
                }
            }
        }

        @Test func aPeerThatGoesSilentIsNoticedAndLeft() async throws {
            let losses = LossRecorder()
            try await withProxy(losses: losses) { proxy, connection in
                losses.begin()
                proxy.set(.silent)
                await connection.waitUntilDisconnected()
                #expect(await losses.duration() < Self.bound)
                proxy.set(.forward)
                await connection.waitUntilConnected()
            }
        }

        @Test func whatIsInFlightToASilentPeerEndsUnconfirmed() async throws {
            let losses = LossRecorder()
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology(), losses: losses) { proxy, connection in
                    losses.begin()
                    proxy.set(.silent)
                    let receipts = try (0..<100).map {
                        try connection.send(message($0), to: names.exchange, routingKey: "k", timeout: .seconds(30))
                    }
                    for receipt in receipts { #expect(await receipt.failure() == .unconfirmed) }
                    #expect(await losses.duration() < Self.bound)
                    let error = #expect(throws: AMQPError.self) {
                        try connection.send(message(), to: "", routingKey: "k")
                    }
                    #expect(error?.code == .notConnected)
                }
            }
        }

        @Test func aWriteThatBlocksIsEnded() async throws {
            let losses = LossRecorder()
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology(), losses: losses) { proxy, connection in
                    losses.begin()
                    proxy.set(.silent)
                    // More than all the buffers on the way hold: the thread is stuck in the middle of a frame.
                    let receipts = try (0..<40).map { _ in
                        try connection.send(
                            message(bytes: 1 << 20), to: names.exchange, routingKey: "k", timeout: .seconds(30))
                    }
                    #expect(await receipts[0].failure() == .unconfirmed)
                    // What was never written is known not to have arrived.
                    #expect(await receipts[39].failure() == .notConnected)
                    #expect(await losses.duration() < Self.bound)
                    proxy.set(.forward)
                    await connection.waitUntilConnected()
                    try await connection.publish(message(), to: names.exchange, routingKey: "k")
                }
            }
        }

        @Test func aMessageHasItsOwnTime() async throws {
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology()) { proxy, connection in
                    proxy.set(.silent)
                    let start = ContinuousClock.now
                    let receipt = try connection.send(
                        message(), to: names.exchange, routingKey: "k", timeout: .milliseconds(200))
                    #expect(await receipt.failure() == .unconfirmed)
                    #expect(start.duration(to: .now) < .seconds(1))
                    #expect(connection.status == .connected)
                }
            }
        }

        @Test func aCutInTheMiddleOfAFrameEndsSubscriptionsAndIsRepaired() async throws {
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology()) { proxy, connection in
                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 10)
                    proxy.set(.cut(afterBytes: 150_000))
                    _ = try connection.send(message(bytes: 1_000_000), to: names.exchange, routingKey: "k")
                    var deliveries = subscription.makeAsyncIterator()
                    #expect(await deliveries.failure() == .connectionLost)
                    // It was not acknowledged, so it is there again, whole.
                    let again = try await connection.subscribe(to: names.queue, prefetch: 10)
                    var others = again.makeAsyncIterator()
                    #expect(try await others.next()?.message.body.count == 1_000_000)
                }
            }
        }

        @Test func aSlowPeerIsNotGivenUp() async throws {
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology()) { proxy, connection in
                    proxy.set(.delay(milliseconds: 100))
                    let subscription = try await connection.subscribe(to: names.queue, prefetch: 10)
                    try await connection.publish(message(1), to: names.exchange, routingKey: "k")
                    var deliveries = subscription.makeAsyncIterator()
                    #expect(try await deliveries.next() != nil)
                    #expect(connection.status == .connected)
                }
            }
        }

        @Test func aPeerThatIsSilentFromTheStartIsLeft() async throws {
            let losses = LossRecorder()
            let proxy = try FaultyProxy(to: try LiveBroker.url)
            try await proxy.whileRunning {
                proxy.set(.silent)
                losses.begin()
                try await withConnection(configuration(proxy.url), logger: losses.logger) { connection in
                    _ = await connection.waitForReason("login")
                    #expect(await losses.duration() < Self.bound)
                    proxy.set(.forward)
                    await connection.waitUntilConnected()
                }
            }
        }

        @Test func aStopIsBoundedWhenThePeerIsSilent() async throws {
            let start = try await LiveBroker.withNames { names in
                let proxy = try FaultyProxy(to: try LiveBroker.url)
                return try await proxy.whileRunning {
                    try await withConnection(configuration(proxy.url), names.topology()) { connection in
                        await connection.waitUntilConnected()
                        proxy.set(.silent)
                        _ = try connection.send(message(), to: names.exchange, routingKey: "k")
                        return ContinuousClock.now
                    }
                }
            }
            #expect(start.duration(to: .now) < .seconds(5))
        }

        @Test func reconnectingKeepsDescriptorsAndThreadsFlat() async throws {
            try await LiveBroker.withNames { names in
                try await withProxy(names.topology()) { proxy, connection in
                    func reconnect() async throws {
                        let subscription = try await connection.subscribe(to: names.queue, prefetch: 1)
                        proxy.set(.cut(afterBytes: 0))
                        var deliveries = subscription.makeAsyncIterator()
                        #expect(await deliveries.failure() == .connectionLost)
                    }
                    func count(_ folder: String) throws -> Int {
                        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/\(folder)").count
                    }
                    for _ in 0..<10 { try await reconnect() }
                    let (descriptors, threads) = (try count("fd"), try count("task"))
                    for _ in 0..<200 { try await reconnect() }
                    // Others may open some meanwhile; a leak would be 200.
                    #expect(try count("fd") < descriptors + 20)
                    #expect(try count("task") < threads + 20)
                }
            }
        }
    }
}

/// How long a connection takes to say that it has lost its broker, by the clock of its own thread: tests that compute
/// beside this one delay what a test hears of it, and not what is measured.
final class LossRecorder: Sendable {
    private let start = Mutex<ContinuousClock.Instant?>(nil)
    private let loss = OneShot<Duration>()

    var logger: Logger {
        Logger(label: "test") { _ in
            EventLogHandler(logLevel: .debug) { event, _ in
                if event.message == "Not connected to the broker" { self.lost() }
            }
        }
    }

    /// What was lost before this does not count.
    func begin() { start.withLock { $0 = .now } }

    func duration() async -> Duration { await loss.value(ifCancelled: .seconds(1_000_000)) }

    private func lost() {
        let start = start.withLock(\.self)
        if let start { loss.resolve(start.duration(to: .now)) }
    }
}
