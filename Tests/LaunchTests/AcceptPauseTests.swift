import Glibc
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import Launch

@Suite struct AcceptPauseTests {
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = Never
        var count = 0

        func read(context: ChannelHandlerContext) { count += 1 }
    }

    @Test func nothingIsAcceptedForAMomentAfterAnError() throws {
        let channel = EmbeddedChannel()
        let reads = Reads()
        try channel.pipeline.syncOperations.addHandler(reads)
        try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: Logger(label: "test")))
        channel.read()
        #expect(reads.count == 1)
        for _ in 0..<3 {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
            channel.read()
        }
        #expect(reads.count == 1)
        channel.embeddedEventLoop.advanceTime(by: AcceptPause.time)
        #expect(reads.count == 2)
        channel.read()
        #expect(reads.count == 3)
    }
}
