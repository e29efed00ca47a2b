import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import Gateway

@Suite struct LoopContextTests {
    private final class Connection: Flushable {
        var flushes = 0
        var onFlush: () -> Void = {}

        func flush() {
            flushes += 1
            onFlush()
        }
    }

    private func context(on eventLoop: EmbeddedEventLoop) throws -> LoopContext {
        let names = HostNames(threads: 1)
        defer { names.shutdown() }
        let tls = try NIOSSLContext(configuration: .makeClientConfiguration())
        return LoopContext(
            eventLoop: eventLoop, pool: UpstreamPool(eventLoop: eventLoop, names: names, tls: tls),
            keyRing: nil)
    }

    /// Bytes for several connections go out one behind the other, and not between the reads of other connections.
    @Test func connectionsAreFlushedAtTheEndOfTheTurn() throws {
        let eventLoop = EmbeddedEventLoop()
        let loop = try context(on: eventLoop)
        let (first, second) = (Connection(), Connection())
        loop.flushSoon(first)
        loop.flushSoon(second)
        #expect(first.flushes == 0 && second.flushes == 0)
        eventLoop.run()
        #expect(first.flushes == 1 && second.flushes == 1)
        eventLoop.run()
        #expect(first.flushes == 1 && second.flushes == 1)
    }

    /// A flush may end an exchange, whose client is then written to.
    @Test func whatIsWrittenDuringAFlushIsFlushedToo() throws {
        let eventLoop = EmbeddedEventLoop()
        let loop = try context(on: eventLoop)
        let (first, second) = (Connection(), Connection())
        first.onFlush = { loop.flushSoon(second) }
        loop.flushSoon(first)
        eventLoop.run()
        #expect(first.flushes == 1 && second.flushes == 1)
    }
}
