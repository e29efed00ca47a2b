import NIOCore
import NIOEmbedded
import NIOSSL
import Testing

@testable import Gateway

@Suite struct UpstreamPoolTests {
    private let origin = Origin(isTLS: false, host: "gpu-1", port: 8000)

    private func pool(_ eventLoop: EmbeddedEventLoop) throws -> UpstreamPool {
        let names = HostNames(threads: 1)
        defer { names.shutdown() }
        return UpstreamPool(
            eventLoop: eventLoop, names: names, tls: try NIOSSLContext(configuration: .makeClientConfiguration()))
    }

    /// Two endpoints at one origin, and one endpoint whose record changes, share their connections.
    @Test func anOriginHasItsConnectionsAsLongAsAnybodyHoldsThem() throws {
        let pool = try pool(EmbeddedEventLoop())
        let held = pool.connections(to: origin)
        pool.closeExpired(.now())
        #expect(pool.connections(to: origin) === held)
        #expect(pool.connections(to: Origin(isTLS: true, host: "gpu-1", port: 8000)) !== held)
    }

    @Test func anOriginThatNobodyHoldsIsForgotten() throws {
        let pool = try pool(EmbeddedEventLoop())
        for port in 1...100 { _ = pool.connections(to: Origin(isTLS: false, host: "gone", port: port)) }
        let held = pool.connections(to: origin)
        #expect(pool.originCount == 101)
        pool.closeExpired(.now())
        #expect(pool.originCount == 1 && pool.connections(to: origin) === held)
    }
}
