public import Logging
public import NIOCore

/// Rests for a moment when no connection can be accepted, mostly because the process has no descriptor left. The
/// connection that waits keeps the listener readable, so that its event loop would do nothing but try.
///
/// Stands in the pipeline of a listening channel.
public final class AcceptPause: ChannelInboundHandler {
    public typealias InboundIn = any Channel

    static let time = TimeAmount.milliseconds(100)
    private static let logInterval = TimeAmount.seconds(10)

    private let logger: Logger
    private var isPaused = false
    private var quietUntil = NIODeadline.uptimeNanoseconds(0)

    public init(logger: Logger) { self.logger = logger }

    /// The channel closes by itself after errors that do not pass.
    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isPaused else { return }
        isPaused = true
        warn(error, context.eventLoop.now)
        setReading(context, false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.time) { [self] in
            isPaused = false
            setReading(context, true)
        }
    }

    /// Holding back `read` in the pipeline is not enough: after an error the channel tries again without it.
    private func setReading(_ context: ChannelHandlerContext, _ isReading: Bool) {
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        } catch {
            // The channel is closed.
        }
    }

    private func warn(_ error: any Error, _ now: NIODeadline) {
        guard now >= quietUntil else { return }
        quietUntil = now + Self.logInterval
        logger.warning(
            "Connections cannot be accepted. If the process has too few descriptors, raise its limit (ulimit -n).",
            metadata: ["reason": "\(error)"])
    }
}
